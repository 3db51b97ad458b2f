//! What a board suffers from, by the files of its kernel: heat, a weak supply, how long it is up.

use std::path::{Path, PathBuf};

/// Sensors that are read; a large machine has a few dozen.
const MAX_SENSORS: usize = 64;
/// What a sensor may say, in thousandths of a degree: what is out of it is not a temperature.
const PLAUSIBLE: std::ops::RangeInclusive<i64> = -40_000..=150_000;
/// What a Raspberry Pi's firmware says of itself, as bits in hex.
const FIRMWARE: &str = "sys/devices/platform/soc/soc:firmware/get_throttled";
/// The bit for a supply voltage that is too low now.
const UNDER_VOLTAGE: u32 = 1;
/// The bits for a processor that is slowed down now: capped, throttled, at its soft limit of heat.
const THROTTLED: u32 = 0b1110;

/// What is known of a board now.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Board {
    /// The hottest sensor, in degrees Celsius.
    pub(super) temperature: Option<f64>,
    /// Its supply voltage is too low.
    pub(super) under_voltage: bool,
    /// It has slowed itself down.
    pub(super) throttled: bool,
    /// Seconds since it started; 0 when it cannot tell.
    pub(super) uptime_s: u64,
    /// Programs that ran or waited to, as a mean of the last minute.
    pub(super) load: Option<f64>,
}

/// Reads the files under `root`.
pub(super) fn look(root: &Path) -> Board {
    let firmware = read(&root.join(FIRMWARE)).and_then(|text| bits(&text)).unwrap_or(0);
    let first = |path: &str| read(&root.join(path))?.split_whitespace().next()?.parse::<f64>().ok();
    let uptime = first("proc/uptime").map(std::time::Duration::try_from_secs_f64);
    Board {
        temperature: temperature(root),
        under_voltage: firmware & UNDER_VOLTAGE != 0 || weak_supply(root),
        throttled: firmware & THROTTLED != 0,
        uptime_s: uptime.and_then(Result::ok).map_or(0, |up| up.as_secs()),
        load: first("proc/loadavg"),
    }
}

/// The hottest sensor, by the kernel's zones of heat and its monitors of hardware.
fn temperature(root: &Path) -> Option<f64> {
    let zones = entries(&root.join("sys/class/thermal"), "thermal_zone", "");
    let zones = zones.into_iter().map(|zone| zone.join("temp"));
    let monitors = entries(&root.join("sys/class/hwmon"), "hwmon", "");
    let inputs = monitors.iter().flat_map(|monitor| entries(monitor, "temp", "_input"));
    let said = zones.chain(inputs).take(MAX_SENSORS);
    let hottest = said.filter_map(|path| read(&path)?.trim().parse::<i64>().ok());
    let hottest = hottest.filter(|milli| PLAUSIBLE.contains(milli)).max()?;
    i32::try_from(hottest).ok().map(|milli| f64::from(milli) / 1000.0)
}

/// Whether the monitor of a Raspberry Pi's supply gives alarm.
fn weak_supply(root: &Path) -> bool {
    let is = |path: PathBuf, word: &str| read(&path).is_some_and(|text| text.trim() == word);
    entries(&root.join("sys/class/hwmon"), "hwmon", "").into_iter().any(|monitor| {
        is(monitor.join("name"), "rpi_volt") && is(monitor.join("in0_lcrit_alarm"), "1")
    })
}

fn entries(dir: &Path, start: &str, end: &str) -> Vec<PathBuf> {
    let found = std::fs::read_dir(dir).into_iter().flatten().flatten();
    let fits = |path: &PathBuf| {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        name.starts_with(start) && name.ends_with(end)
    };
    found.map(|entry| entry.path()).filter(fits).take(MAX_SENSORS).collect()
}

fn bits(text: &str) -> Option<u32> {
    let text = text.trim();
    u32::from_str_radix(text.strip_prefix("0x").unwrap_or(text), 16).ok()
}

fn read(path: &Path) -> Option<String> {
    std::fs::read_to_string(path).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A machine with these files.
    fn with(files: &[(&str, &str)]) -> tempfile::TempDir {
        let dir = tempfile::tempdir().unwrap();
        for (path, text) in files {
            let path = dir.path().join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }
        dir
    }

    #[test]
    fn a_board_that_overheats_says_so() {
        let dir = with(&[
            ("sys/class/thermal/thermal_zone0/temp", "84700\n"),
            ("sys/class/thermal/thermal_zone1/temp", "61000\n"),
            ("sys/class/thermal/cooling_device0/cur_state", "3\n"),
            ("sys/class/hwmon/hwmon0/name", "cpu_thermal\n"),
            ("sys/class/hwmon/hwmon0/temp1_input", "84650\n"),
            ("sys/class/hwmon/hwmon0/temp1_crit", "110000\n"),
            (FIRMWARE, "e000e\n"),
            ("proc/uptime", "93784.51 350000.00\n"),
            ("proc/loadavg", "3.10 2.00 1.00 2/300 4711\n"),
        ]);
        let expected = Board {
            temperature: Some(84.7),
            under_voltage: false,
            throttled: true,
            uptime_s: 93_784,
            load: Some(3.1),
        };
        assert_eq!(look(dir.path()), expected);
    }

    #[test]
    fn a_weak_supply_is_told_by_the_firmware_or_by_its_monitor() {
        let by = |files: &[(&str, &str)]| look(with(files).path()).under_voltage;
        assert!(by(&[(FIRMWARE, "50005")]) && by(&[(FIRMWARE, "0x1\n")]));
        // What was once, is over.
        assert!(!by(&[(FIRMWARE, "50000\n")]));
        let name = ("sys/class/hwmon/hwmon1/name", "rpi_volt\n");
        assert!(by(&[name, ("sys/class/hwmon/hwmon1/in0_lcrit_alarm", "1\n")]));
        assert!(!by(&[name, ("sys/class/hwmon/hwmon1/in0_lcrit_alarm", "0\n")]));
    }

    #[test]
    fn what_cannot_be_told_is_left_out() {
        assert_eq!(look(with(&[]).path()), Board::default());
        let nonsense = [
            ("sys/class/thermal/thermal_zone0/temp", "-274000\n"),
            ("sys/class/thermal/thermal_zone1/temp", "hot\n"),
            ("sys/class/hwmon/hwmon0/temp1_input", "2147483647\n"),
            (FIRMWARE, "unknown"),
            ("proc/uptime", "-1 x"),
            ("proc/loadavg", ""),
        ];
        assert_eq!(look(with(&nonsense).path()), Board::default());
    }

    #[test]
    fn this_machine_is_up() {
        assert!(look(Path::new("/")).uptime_s > 0);
    }
}
