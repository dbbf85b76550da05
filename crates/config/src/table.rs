//! The form of the table of keys, and the macro that makes it.

/// A section of the file.
#[derive(Debug)]
pub struct Section {
    pub(crate) field: &'static str,
    /// What the section is for, one line an item, as in the source.
    pub documentation: &'static [&'static str],
    /// The subcommands that read the section.
    pub services: &'static [&'static str],
    /// Its keys, in the order of the documentation.
    pub keys: &'static [Key],
}

/// A key of a section.
#[derive(Debug)]
pub struct Key {
    pub(crate) field: &'static str,
    /// The name of its type in tlsrpt.toml(5).
    pub kind: &'static str,
    /// The value if the file does not set the key.
    pub default: Default,
    /// The least and the largest value, as in the file. Both are allowed.
    pub range: Option<(&'static str, &'static str)>,
    /// Whether the value is never shown.
    pub secret: bool,
    /// A value for the example file if there is no default.
    pub example: &'static str,
    /// What the key is for, one line an item, as in the source.
    pub documentation: &'static [&'static str],
}

/// The value of a key that the file does not have. Texts are values in the syntax of TOML.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Default {
    /// There is no value.
    None,
    /// This value.
    Value(&'static str),
    /// This value if it is valid on this host, for instance a group that exists. Otherwise none.
    IfValid(&'static str),
}

impl Section {
    /// The name between brackets, for instance `mail.dkim`.
    #[must_use]
    pub fn name(&self) -> String {
        self.field.replace('_', ".")
    }
}

impl Key {
    /// The name in the file, for instance `socket-mode`.
    #[must_use]
    pub fn name(&self) -> String {
        self.field.replace('_', "-")
    }
}

/// Makes the type of each section, [`crate::Configuration`], and the table `SECTIONS`.
///
/// A row is `field: Kind [in "least" ..= "most"] [= default] [like example];`. The kind is a type of `crate::kind`. Without a default, the
/// value is an `Option`. `try` instead of `=` makes a default of a value that may be invalid on some hosts; the value is an
/// `Option`, too. Names in the file have `-` for `_`, names of sections `.`.
macro_rules! configuration {
    ($(
        $(#[doc = $about:literal])+
        [$section:ident: $type:ident] for $($service:literal)+ {
            $(
                $(#[doc = $doc:literal])+
                $field:ident: $kind:ident $(in $least:literal ..= $most:literal)? $(= $default:tt)? $(try $try:literal)? $(like $example:literal)?;
            )+
        }
    )+) => {
        $(
            $(#[doc = $about])+
            #[derive(Debug, Clone)]
            pub struct $type {
                $($(#[doc = $doc])+ pub $field: value_type!($kind $(= $default)? $(try $try)?),)+
            }

            impl $type {
                fn read(reader: &mut Reader<'_, '_>) -> Option<Self> {
                    $(let $field = read_value!(reader, $section, $field, $kind $(= $default)? $(try $try)?);)+
                    Some(Self { $($field: $field?,)+ })
                }
            }
        )+

        /// The configuration in force: one field for each section of the file.
        #[derive(Debug, Clone)]
        pub struct Configuration {
            $($(#[doc = $about])+ pub $section: $type,)+
        }

        impl Configuration {
            /// Reads each key. None if one of them cannot be read; then the reader has the problems.
            pub(crate) fn read(reader: &mut Reader<'_, '_>) -> Option<Self> {
                $(let $section = $type::read(reader);)+
                Some(Self { $($section: $section?,)+ })
            }
        }

        /// The table of keys.
        pub static SECTIONS: &[Section] = &[$(
            Section {
                field: stringify!($section),
                documentation: &[$($about),+],
                services: &[$($service),+],
                keys: &[$(
                    Key {
                        field: stringify!($field),
                        kind: <$kind as Kind>::NAME,
                        default: default!($(= $default)? $(try $try)?),
                        range: range!($($least, $most)?),
                        secret: <$kind as Kind>::SECRET,
                        example: example!($kind $($example)?),
                        documentation: &[$($doc),+],
                    },
                )+],
            },
        )+];
    };
}

macro_rules! value_type {
    ($kind:ident = $default:tt) => { <$kind as Kind>::Value };
    ($kind:ident $($none:tt)*) => { Option<<$kind as Kind>::Value> };
}

macro_rules! read_value {
    ($reader:ident, $section:ident, $field:ident, $kind:ident = $default:tt) => {
        $reader.required::<$kind>(stringify!($section), stringify!($field))
    };
    ($reader:ident, $section:ident, $field:ident, $kind:ident $($none:tt)*) => {
        $reader.optional::<$kind>(stringify!($section), stringify!($field))
    };
}

/// The literal is TOML as well as Rust, so its source is the text of the default.
macro_rules! default {
    () => {
        Default::None
    };
    (= $default:tt) => {
        Default::Value(stringify!($default))
    };
    (try $default:literal) => {
        Default::IfValid(stringify!($default))
    };
}

macro_rules! example {
    ($kind:ident) => {
        <$kind as Kind>::EXAMPLE
    };
    ($kind:ident $example:literal) => {
        stringify!($example)
    };
}

macro_rules! range {
    () => {
        None
    };
    ($least:literal, $most:literal) => {
        Some((stringify!($least), stringify!($most)))
    };
}
