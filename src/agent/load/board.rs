//! What a board suffers from, by the files of its kernel: heat, a weak supply, how long it is up.

use std::path::{Path, PathBuf};

/// Sensors that are read; a large machine has a few dozen.
const MAX_SENSORS: usize = 64;
/// What a sensor may say, in thousandths of a degree: what is out of it is not a temperature.
const PLAUSIBLE: std::ops::RangeInclusive<i64> = -40_000..=150_000;
/// From when on a board's processor is too hot, as the server has it.
const BOARD_MARK: f64 = 80.0;
/// The same for a sensor without a limit: processors of desktops go to 95 degrees, and are made to.
const UNKNOWN_MARK: f64 = 98.0;
/// How far below its critical limit something is too hot.
const BEFORE_LIMIT: f64 = 2.0;
/// What a Raspberry Pi's firmware says of itself, as bits in hex.
const FIRMWARE: &str = "sys/devices/platform/soc/soc:firmware/get_throttled";
/// The bit for a supply voltage that is too low now.
const UNDER_VOLTAGE: u32 = 1;
/// The bits for a processor that is slowed down now: capped, throttled, at its soft limit of heat.
const THROTTLED: u32 = 0b1110;

/// What is known of a board now.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Board {
    /// Its sensor that is nearest to its mark.
    pub(super) heat: Option<Heat>,
    /// Its supply voltage is too low.
    pub(super) under_voltage: bool,
    /// It has slowed itself down.
    pub(super) throttled: bool,
    /// Seconds since it started; 0 when it cannot tell.
    pub(super) uptime_s: u64,
    /// Programs that ran or waited to, as a mean of the last minute.
    pub(super) load: Option<f64>,
}

/// What a sensor of heat says.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Heat {
    /// Degrees Celsius.
    pub(super) temperature: f64,
    /// From when on that is too hot for what it sits on; none where that is the board's processor, or
    /// is not told.
    pub(super) mark: Option<f64>,
}

/// Reads the files under `root`.
pub(super) fn look(root: &Path) -> Board {
    let firmware = read(&root.join(FIRMWARE)).and_then(|text| bits(&text)).unwrap_or(0);
    let first = |path: &str| read(&root.join(path))?.split_whitespace().next()?.parse::<f64>().ok();
    let uptime = first("proc/uptime").map(std::time::Duration::try_from_secs_f64);
    Board {
        heat: heat(root),
        under_voltage: firmware & UNDER_VOLTAGE != 0 || weak_supply(root),
        throttled: firmware & THROTTLED != 0,
        uptime_s: uptime.and_then(Result::ok).map_or(0, |up| up.as_secs()),
        load: first("proc/loadavg"),
    }
}

/// The sensor nearest to its mark, by the kernel's monitors of hardware, and by its zones of heat where
/// there are none: a zone says again what a monitor says, without its limits.
fn heat(root: &Path) -> Option<Heat> {
    let monitors = entries(&root.join("sys/class/hwmon"), "hwmon", "");
    let monitored = monitors.iter().flat_map(|monitor| {
        let is_board = read(&monitor.join("name")).is_some_and(|name| is_board(name.trim()));
        entries(monitor, "temp", "_input").into_iter().filter_map(move |input| {
            let mark = if is_board { None } else { mark_of(&input) };
            Some(Heat { temperature: degrees(&input)?, mark })
        })
    });
    let zones = entries(&root.join("sys/class/thermal"), "thermal_zone", "");
    let zoned = zones.iter().filter_map(|zone| {
        let is_board = read(&zone.join("type")).is_none_or(|kind| is_board(kind.trim()));
        let mark = if is_board { None } else { Some(UNKNOWN_MARK) };
        Some(Heat { temperature: degrees(&zone.join("temp"))?, mark })
    });
    let all: Vec<Heat> = monitored.take(MAX_SENSORS).collect();
    let all = if all.is_empty() { zoned.take(MAX_SENSORS).collect() } else { all };
    let over = |heat: &Heat| heat.temperature - heat.mark.unwrap_or(BOARD_MARK);
    all.into_iter().max_by(|a, b| over(a).total_cmp(&over(b)))
}

/// Whether a sensor is that of a small board's processor, whose limits say when it is switched off, and
/// not when it slows down.
fn is_board(name: &str) -> bool {
    matches!(name, "cpu_thermal" | "cpu-thermal" | "soc_thermal" | "soc-thermal")
}

/// When what a monitor's sensor sits on is too hot, by its critical limit.
fn mark_of(input: &Path) -> Option<f64> {
    let name = input.file_name()?.to_string_lossy().replace("_input", "_crit");
    Some(degrees(&input.with_file_name(name)).map_or(UNKNOWN_MARK, |limit| limit - BEFORE_LIMIT))
}

/// What a file says in thousandths of a degree.
fn degrees(path: &Path) -> Option<f64> {
    let milli = read(path)?.trim().parse::<i64>().ok().filter(|milli| PLAUSIBLE.contains(milli))?;
    i32::try_from(milli).ok().map(|milli| f64::from(milli) / 1000.0)
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
            heat: Some(Heat { temperature: 84.65, mark: None }),
            under_voltage: false,
            throttled: true,
            uptime_s: 93_784,
            load: Some(3.1),
        };
        assert_eq!(look(dir.path()), expected);
    }

    #[test]
    fn each_sensor_is_held_against_its_own_limit() {
        let desktop = [
            ("sys/class/thermal/thermal_zone0/type", "x86_pkg_temp\n"),
            ("sys/class/thermal/thermal_zone0/temp", "91000\n"),
            ("sys/class/hwmon/hwmon0/name", "coretemp\n"),
            ("sys/class/hwmon/hwmon0/temp1_input", "91000\n"),
            ("sys/class/hwmon/hwmon0/temp1_crit", "100000\n"),
            ("sys/class/hwmon/hwmon1/name", "nvme\n"),
            ("sys/class/hwmon/hwmon1/temp1_input", "82850\n"),
            ("sys/class/hwmon/hwmon1/temp1_crit", "84850\n"),
        ];
        let heat = |files: &[(&str, &str)]| look(with(files).path()).heat;
        // The processor is well at 91 degrees, and the disk is nearly too hot at 83.
        let (disk, rest) = (heat(&desktop).unwrap(), heat(&desktop[..5]).unwrap());
        assert!(disk.temperature == 82.85 && (disk.mark.unwrap() - 82.85).abs() < 1e-9);
        assert_eq!(rest, Heat { temperature: 91.0, mark: Some(98.0) });
        assert_eq!(heat(&desktop[..2]), Some(Heat { temperature: 91.0, mark: Some(98.0) }));
        let board = [("sys/class/thermal/thermal_zone0/temp", "81000\n")];
        assert_eq!(heat(&board), Some(Heat { temperature: 81.0, mark: None }));
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
