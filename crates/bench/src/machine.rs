//! A description of the machine and of the date of the measurements.

use std::{error::Error, fs, process::Command};

/// Processor, cores, system and date, after the command that printed them.
pub(crate) fn describe(printed_by: &str) -> Result<String, Box<dyn Error>> {
    let processor = field("/proc/cpuinfo", "model name", ':')?;
    let system = field("/etc/os-release", "PRETTY_NAME", '=')?;
    let cores = std::thread::available_parallelism()?;
    let kernel = fs::read_to_string("/proc/sys/kernel/osrelease")?;
    let date = output("date", &["-u", "+%Y-%m-%d"])?;
    let rust = output("rustc", &["--version"])?;
    Ok(format!(
        "Printed by `{printed_by}` on {date}: {processor}, {cores} cores, {system}, Linux {}, {rust}.\n",
        kernel.trim()
    ))
}

fn field(file: &str, name: &str, separator: char) -> Result<String, Box<dyn Error>> {
    let text = fs::read_to_string(file)?;
    let line = text.lines().find(|line| line.starts_with(name)).ok_or_else(|| format!("{file}: no {name}"))?;
    Ok(line.split_once(separator).map_or(line, |(_, value)| value).trim().trim_matches('"').to_owned())
}

fn output(command: &str, arguments: &[&str]) -> Result<String, Box<dyn Error>> {
    Ok(String::from_utf8(Command::new(command).args(arguments).output()?.stdout)?.trim().to_owned())
}
