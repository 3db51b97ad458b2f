//! A zip archive with stored entries: enough for a few small text files.

/// Files on their way into an archive.
#[derive(Debug, Default)]
pub struct Zip {
    body: Vec<u8>,
    directory: Vec<u8>,
    count: u16,
}

/// The DOS date of files without one: 1 January 1980.
const NO_DATE: u32 = 0x0021_0000;

impl Zip {
    /// Adds a file.
    ///
    /// # Errors
    /// When the archive becomes larger than the format's plain form allows.
    pub fn add(&mut self, name: &str, content: &[u8]) -> anyhow::Result<()> {
        let offset = u32::try_from(self.body.len())?;
        let size = u32::try_from(content.len())?;
        let name_len = u16::try_from(name.len())?;
        self.count = self.count.checked_add(1).ok_or_else(|| anyhow::anyhow!("too many files"))?;
        // Version 2.0, names in UTF-8, stored.
        let mut common = Vec::new();
        common.extend_from_slice(&20_u16.to_le_bytes());
        common.extend_from_slice(&0x0800_u16.to_le_bytes());
        common.extend_from_slice(&0_u16.to_le_bytes());
        common.extend_from_slice(&NO_DATE.to_le_bytes());
        common.extend_from_slice(&crc32(content).to_le_bytes());
        common.extend_from_slice(&size.to_le_bytes());
        common.extend_from_slice(&size.to_le_bytes());
        common.extend_from_slice(&name_len.to_le_bytes());
        common.extend_from_slice(&0_u16.to_le_bytes());

        self.body.extend_from_slice(b"PK\x03\x04");
        self.body.extend_from_slice(&common);
        self.body.extend_from_slice(name.as_bytes());
        self.body.extend_from_slice(content);

        self.directory.extend_from_slice(b"PK\x01\x02");
        self.directory.extend_from_slice(&20_u16.to_le_bytes());
        self.directory.extend_from_slice(&common);
        // No comment, first disk, no attributes.
        self.directory.extend_from_slice(&[0; 10]);
        self.directory.extend_from_slice(&offset.to_le_bytes());
        self.directory.extend_from_slice(name.as_bytes());
        Ok(())
    }

    /// The archive.
    ///
    /// # Errors
    /// When it is larger than the format's plain form allows.
    pub fn finish(mut self) -> anyhow::Result<Vec<u8>> {
        let offset = u32::try_from(self.body.len())?;
        let size = u32::try_from(self.directory.len())?;
        self.body.append(&mut self.directory);
        self.body.extend_from_slice(b"PK\x05\x06\0\0\0\0");
        self.body.extend_from_slice(&self.count.to_le_bytes());
        self.body.extend_from_slice(&self.count.to_le_bytes());
        self.body.extend_from_slice(&size.to_le_bytes());
        self.body.extend_from_slice(&offset.to_le_bytes());
        self.body.extend_from_slice(&[0; 2]);
        Ok(self.body)
    }
}

/// The checksum of the format (IEEE 802.3), bit by bit: the files are small.
fn crc32(data: &[u8]) -> u32 {
    let step = |crc: u32, _| if crc & 1 == 1 { (crc >> 1) ^ 0xedb8_8320 } else { crc >> 1 };
    !data.iter().fold(!0_u32, |crc, byte| (0..8).fold(crc ^ u32::from(*byte), step))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_checksum_is_the_formats() {
        assert_eq!(crc32(b"123456789"), 0xcbf4_3926);
    }

    #[test]
    fn an_archive_is_its_files_its_directory_and_its_end() {
        let mut zip = Zip::default();
        zip.add("a.txt", b"hello").unwrap();
        zip.add("b/c.json", b"{}").unwrap();
        let bytes = zip.finish().unwrap();
        assert!(bytes.starts_with(b"PK\x03\x04"));
        assert_eq!(&bytes[30..40], b"a.txthello");
        let end = bytes.len() - 22;
        assert_eq!(&bytes[end..end + 4], b"PK\x05\x06");
        assert_eq!(bytes[end + 10], 2);
        let directory = u32::from_le_bytes(bytes[end + 16..end + 20].try_into().unwrap());
        assert!(bytes[directory as usize..].starts_with(b"PK\x01\x02"));
    }
}
