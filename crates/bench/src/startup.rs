//! The time that a program needs to load the library.

use std::{error::Error, path::Path};

use crate::{
    arguments::Arguments,
    library::Library,
    measure::{Contender, in_turn},
    table::section,
};

/// The table of both libraries.
pub(crate) fn compare(arguments: &Arguments) -> Result<String, Box<dyn Error>> {
    let contender = |path| Contender::new(10, move || (0..10).for_each(|_| load_open_and_close(path)));
    let mut contenders = [contender(arguments.reference.as_path()), contender(arguments.ours.as_path())];
    let times = in_turn(100, 1, &mut contenders);
    Ok(section(
        "Start-up",
        "Nanoseconds to load the library, open a connection, close it, and unload the library.",
        &["C", "ours", "ours / C"],
        &[vec![times[0].in_nanoseconds(), times[1].in_nanoseconds(), format!("{:.2}", times[1].times(times[0]))]],
    ))
}

fn load_open_and_close(path: &Path) {
    let library = Library::load(path).expect("it was loaded before");
    library.disconnect(library.connect(Path::new("/nonexistent/socket")));
}
