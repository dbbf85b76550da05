//! A server of PostgreSQL in a scratch folder, as Debian installs it. It ends with the process of the test.
//!
//! Tests of other crates use this file too.
#![allow(dead_code)]

use std::{
    fs::{self, Permissions},
    io::Write,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::{Child, ChildStdin, Command, Stdio},
    thread,
    time::Duration,
};

use tempfile::TempDir;

/// The server refuses to run as root.
const USER: &str = "postgres";

/// Starts the server, and ends it after a line on standard input. At the end of the input, also when the test is killed, it
/// removes the folder too.
const WATCH: &str = r#"
folder=$1
shift
"$@" &
server=$!
read -r line
kill -QUIT $server
wait $server
[ "$line" ] || rm -rf "$folder"
"#;

/// A server that listens on a socket in its folder, and on a port of 127.0.0.1.
#[derive(Debug)]
pub(crate) struct Server {
    folder: TempDir,
    pub(crate) port: u16,
    watcher: Option<(Child, ChildStdin)>,
}

impl Server {
    /// Starts a server with these lines of `pg_hba.conf` behind the one of the superuser.
    pub(crate) fn start(settings: &str, access: &str) -> Self {
        let folder = tempfile::Builder::new().prefix("tlsrpt-pg").tempdir_in("/tmp").unwrap();
        fs::set_permissions(folder.path(), Permissions::from_mode(0o755)).unwrap();
        let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let mut server = Self { folder, port, watcher: None };
        let data = server.data();
        fs::create_dir(&data).unwrap();
        if is_root() {
            run(Command::new("chown").arg(USER).arg(&data).arg(server.folder.path()));
        }
        let arguments = ["--no-sync", "--auth=trust", "--username=postgres", "--encoding=UTF8", "--locale=C.UTF-8"];
        run(as_user(&program("initdb")).args(arguments).arg("--pgdata").arg(&data));
        let text = format!(
            "listen_addresses = '127.0.0.1'\nport = {port}\nunix_socket_directories = '{}'\nfsync = off\n{settings}\n",
            server.folder.path().display()
        );
        append(&data.join("postgresql.conf"), &text);
        fs::write(data.join("pg_hba.conf"), format!("local all postgres trust\n{access}\n")).unwrap();
        server.go_on();
        server
    }

    fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    /// The folder with the socket.
    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Starts it again, and waits until it answers.
    pub(crate) fn go_on(&mut self) {
        let mut command = Command::new("sh");
        command.args(["-c", WATCH, "sh"]).arg(self.folder.path());
        let server = as_user(&program("postgres"));
        command.arg(server.get_program()).args(server.get_args()).arg("-D").arg(self.data());
        let log = fs::File::options().create(true).append(true).open(self.folder.path().join("log")).unwrap();
        let mut child = command.stdin(Stdio::piped()).stdout(log.try_clone().unwrap()).stderr(log).spawn().unwrap();
        let stdin = child.stdin.take().unwrap();
        self.watcher = Some((child, stdin));
        // Each failed attempt is an answer of the system, so the loop ends with the server or with the program.
        for _ in 0..600 {
            if self.psql("postgres", "SELECT 1").status.success() {
                return;
            }
            thread::sleep(Duration::from_millis(50));
        }
        panic!("the server does not start: {}", fs::read_to_string(self.folder.path().join("log")).unwrap());
    }

    /// Ends it at once, as a crash does.
    pub(crate) fn stop_hard(&mut self) {
        if let Some((mut watcher, mut stdin)) = self.watcher.take() {
            stdin.write_all(b"stop\n").unwrap();
            watcher.wait().unwrap();
        }
    }

    /// Encrypts connections through TCP, and starts again.
    pub(crate) fn use_tls(&mut self, certificate: &str, key: &str, authority: &str) {
        let data = self.data();
        let own = |name: &str, from: &str| {
            let file = data.join(name);
            fs::copy(from, &file).unwrap();
            fs::set_permissions(&file, Permissions::from_mode(0o600)).unwrap();
            if is_root() {
                run(Command::new("chown").arg(USER).arg(&file));
            }
        };
        own("server.crt", certificate);
        own("server.key", key);
        own("root.crt", authority);
        self.stop_hard();
        append(&self.data().join("postgresql.conf"), "ssl = on\nssl_ca_file = 'root.crt'\n");
        self.go_on();
    }

    fn psql(&self, database: &str, statements: &str) -> std::process::Output {
        let mut command = Command::new(program("psql"));
        command.args(["--no-psqlrc", "-v", "ON_ERROR_STOP=1", "-Atq", "-U", "postgres", "-d", database]);
        command.arg("-h").arg(self.folder.path()).arg("-p").arg(self.port.to_string()).arg("-f").arg("-");
        command.env("PGOPTIONS", "-c search_path=tlsrpt");
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        child.stdin.take().unwrap().write_all(statements.as_bytes()).unwrap();
        child.wait_with_output().unwrap()
    }

    /// Runs statements as the superuser. What they print.
    pub(crate) fn sql(&self, database: &str, statements: &str) -> String {
        let output = self.psql(database, statements);
        assert!(output.status.success(), "{statements}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap().trim_end().to_owned()
    }

    /// Creates the roles of docs/many-hosts.md.
    pub(crate) fn create_roles(&self) {
        self.sql("postgres", &documented_sql()[0]);
    }

    /// Creates a database as docs/many-hosts.md does, under this name.
    pub(crate) fn create_database(&self, name: &str) {
        let statements = documented_sql()[1]
            .replace("DATABASE tlsrpt ", &format!("DATABASE {name} "))
            .replace("\\connect tlsrpt", &format!("\\connect {name}"));
        assert!(statements.matches(name).count() >= 4, "{statements}");
        self.sql("postgres", &statements);
    }

    /// The URL for a role, through the socket.
    pub(crate) fn url(&self, role: &str, database: &str) -> String {
        let folder = self.folder.path().display();
        format!("postgresql://{role}@/{database}?host={folder}&port={}&passfile={folder}/passwords", self.port)
    }

    /// The same through TCP, with further parameters.
    pub(crate) fn tcp_url(&self, role: &str, database: &str, parameters: &str) -> String {
        let folder = self.folder.path().display();
        format!("postgresql://{role}@127.0.0.1:{}/{database}?passfile={folder}/passwords{parameters}", self.port)
    }

    /// Writes the file of passwords that the URLs name.
    pub(crate) fn write_passwords(&self, lines: &str) {
        let file = self.folder.path().join("passwords");
        fs::write(&file, lines).unwrap();
        fs::set_permissions(&file, Permissions::from_mode(0o600)).unwrap();
    }
}

/// The passwords of docs/many-hosts.md.
pub(crate) const PASSWORDS: &str =
    "*:*:*:tlsrpt_reporter:change me 1\n*:*:*:tlsrpt_collector:change me 2\n*:*:*:tlsrpt_status:change me 3\n";

/// The blocks of SQL of docs/many-hosts.md.
pub(crate) fn documented_sql() -> Vec<String> {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/many-hosts.md");
    let text = fs::read_to_string(file).unwrap();
    let blocks = text.split("```sql\n").skip(1).map(|rest| rest.split("```").next().unwrap().to_owned());
    blocks.collect()
}

fn is_root() -> bool {
    nix::unistd::geteuid().is_root()
}

/// The newest program of this name. Debian has those of the server in a folder for each version.
fn program(name: &str) -> PathBuf {
    let versions = fs::read_dir("/usr/lib/postgresql").expect("PostgreSQL is installed: make test-postgresql, as root");
    let mut found: Vec<_> = versions.map(|version| version.unwrap().path().join("bin").join(name)).collect();
    found.retain(|path| path.exists());
    found.sort();
    found.pop().unwrap_or_else(|| panic!("no {name} in /usr/lib/postgresql"))
}

fn as_user(program: &Path) -> Command {
    if !is_root() {
        return Command::new(program);
    }
    let mut command = Command::new("setpriv");
    command.args(["--reuid", USER, "--regid", USER, "--clear-groups", "--"]).arg(program);
    command
}

fn run(command: &mut Command) {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
}

fn append(file: &Path, text: &str) {
    fs::File::options().append(true).open(file).unwrap().write_all(text.as_bytes()).unwrap();
}
