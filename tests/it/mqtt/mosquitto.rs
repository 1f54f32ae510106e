//! A mosquitto of the test's own, where it is installed.

use std::{
    fs,
    net::TcpStream,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use tempfile::TempDir;

use super::bench::{PATIENCE, free_port};
use crate::support::missing_tool;

/// Whom it lets in, and how.
pub enum Entrance<'a> {
    /// Everybody.
    Open,
    /// This user with this password.
    Password(&'a str, &'a str),
    /// Everybody over TLS: certificate and key, in PEM.
    Tls(&'a str, &'a str),
    /// Over TLS whoever has a certificate by this authority: certificate, key
    /// and authority, in PEM.
    Certified(&'a str, &'a str, &'a str),
    /// Everybody, but only to this topic filter.
    Below(&'a str),
}

/// A running mosquitto.
pub struct Mosquitto {
    process: Child,
    program: PathBuf,
    pub port: u16,
    folder: TempDir,
}

impl Mosquitto {
    /// Ends it and starts it again; it has kept nothing.
    pub fn restart(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
        self.process = start(&self.program, self.folder.path());
        self.listens();
    }

    fn listens(&self) {
        let deadline = Instant::now() + PATIENCE;
        while TcpStream::connect(("127.0.0.1", self.port)).is_err() {
            assert!(Instant::now() < deadline, "mosquitto does not listen");
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

const CONFIGURATION: &str = "mosquitto.conf";

fn start(program: &Path, folder: &Path) -> Child {
    Command::new(program)
        .args([Path::new("-c"), &folder.join(CONFIGURATION)])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

impl Drop for Mosquitto {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn program(name: &str) -> Option<PathBuf> {
    let paths = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&paths)
        .chain([PathBuf::from("/usr/sbin"), PathBuf::from("/usr/local/sbin")])
        .map(|folder| folder.join(name))
        .find(|path| path.is_file())
}

/// Starts mosquitto on a free port; `None`, said aloud, where it is not
/// installed.
pub fn mosquitto(entrance: &Entrance<'_>) -> Option<Mosquitto> {
    mosquitto_with(entrance, "")
}

/// The same, with more lines in its configuration.
pub fn mosquitto_with(entrance: &Entrance<'_>, more: &str) -> Option<Mosquitto> {
    let found = program("mosquitto").zip(program("mosquitto_passwd"));
    let Some((broker, passwd)) = found else {
        missing_tool("mosquitto", "apt install mosquitto");
        return None;
    };
    let port = free_port();
    let folder = tempfile::tempdir().unwrap();
    // mosquitto changes its user when started by root.
    allow(folder.path(), 0o755);
    let file = |name: &str, content: &str| {
        let path = folder.path().join(name);
        fs::write(&path, content).unwrap();
        allow(&path, 0o644);
        path.display().to_string()
    };
    let mut config = format!("{more}\nlistener {port} 127.0.0.1\npersistence false\n");
    match entrance {
        Entrance::Open => config += "allow_anonymous true\n",
        Entrance::Password(name, password) => {
            let passwords = file("passwords", "");
            let made = Command::new(passwd)
                .args(["-b", &passwords, name, password])
                .status()
                .unwrap();
            assert!(made.success());
            config += &format!("password_file {passwords}\nallow_anonymous false\n");
        }
        Entrance::Below(filter) => {
            let list = file("acl", &format!("topic readwrite {filter}\n"));
            config += &format!("acl_file {list}\nallow_anonymous true\n");
        }
        Entrance::Tls(certificate, key) => {
            let (certificate, key) = (file("cert.pem", certificate), file("key.pem", key));
            config += &format!("certfile {certificate}\nkeyfile {key}\nallow_anonymous true\n");
        }
        Entrance::Certified(certificate, key, authority) => {
            let (certificate, key) = (file("cert.pem", certificate), file("key.pem", key));
            let authority = file("ca.pem", authority);
            config += &format!(
                "certfile {certificate}\nkeyfile {key}\ncafile {authority}\n\
                 require_certificate true\nallow_anonymous true\n"
            );
        }
    }
    file(CONFIGURATION, &config);
    let mosquitto = Mosquitto {
        process: start(&broker, folder.path()),
        program: broker,
        port,
        folder,
    };
    mosquitto.listens();
    Some(mosquitto)
}

fn allow(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}
