//! Sessions on disk: one file for each client id.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::{fmt, fs, io, mem};

use mqtt_p2p_core::{Client, Config, Growing, Key, RestoreError, SessionStore};
use redb::{Builder, Database, ReadableDatabase, ReadableTable, TableDefinition};

const RECORDS: TableDefinition<'_, &[u8; Key::LEN], &[u8]> = TableDefinition::new("session");
const FORMAT: TableDefinition<'_, &str, &str> = TableDefinition::new("format");
/// What is in the records: [`Key`] and its records, first edition.
const VERSION: &str = "mqtt-p2p session 1";
/// Sessions are short.
const CACHE: usize = 4 * 1024 * 1024;

/// A session in a file, for [`Options::session_store`](crate::Options::session_store).
///
/// What a client accepts is in the file before [`publish`](crate::Client::publish) returns, and before a byte of it goes
/// out. The program can be killed at any moment, also in the middle of a write; the next one that opens the file goes on
/// with the session: publications of QoS 1 and 2 that the server has not taken, incoming messages of QoS 2, and
/// subscriptions.
///
/// *A call of `publish` that never returned*, because the program was killed in it, may have been accepted or not. Who
/// repeats the message may send it twice, who does not may not send it at all: so write down what is about to be
/// published before the call, and that it was after it, and let the message carry a number that its receivers know it
/// by.
///
/// While a client has the file open, nobody else can open it, in this process or another.
pub struct FileStore {
    path: PathBuf,
    client_id: String,
    /// `None` after a failure: it is opened again.
    database: Option<Database>,
    /// What was put and removed since the last commit, in this order.
    changes: Vec<(Key, Option<Vec<u8>>)>,
}

/// What is wrong with a session store. Nothing was changed or reset.
#[derive(Debug)]
#[non_exhaustive]
pub enum StoreError {
    /// Caller: another client has it open, in this process or another. Two clients with one client id would throw each
    /// other out anyway.
    InUse,
    /// Resources: its content is damaged.
    Damaged(String),
    /// Caller: it is no session, that of another client id, or one that another version of this library wrote.
    Foreign(String),
    /// Resources: the operating system refuses to read or write it; the disk is full, perhaps.
    Io(io::Error),
}

impl FileStore {
    /// Opens the session of a client id in this directory, or begins one. Both are made if they are not there. After a
    /// crash it checks and repairs what was being written, which takes time in proportion to the file.
    ///
    /// It blocks for the disk.
    ///
    /// # Errors
    /// [`StoreError`]: a damaged file is never reset. To begin anew, move it away; [`path`](Self::path) tells which it
    /// is.
    pub fn open(directory: impl AsRef<Path>, client_id: &str) -> Result<Self, StoreError> {
        fs::create_dir_all(&directory).map_err(StoreError::Io)?;
        let path = Self::path(directory, client_id);
        let mut store = Self { path, client_id: client_id.into(), database: None, changes: Vec::new() };
        store.opened()?;
        // Whatever a client would refuse to take over later is found now.
        let mut trial = Client::new(Config::new(), 0, Growing::new(usize::MAX));
        match trial.restore(&mut store) {
            Ok(()) => Ok(store),
            Err(RestoreError::Store(error)) => Err(error),
            Err(error) => Err(StoreError::Damaged(error.to_string())),
        }
    }

    /// The file that holds the session of this client id: its characters, where they are no letters, digits, `-`, `_`, `.`
    /// or `@`, as `%` and two digits for each byte.
    pub fn path(directory: impl AsRef<Path>, client_id: &str) -> PathBuf {
        let mut name = String::new();
        for byte in client_id.bytes() {
            match byte {
                b'0'..=b'9' | b'A'..=b'Z' | b'a'..=b'z' | b'-' | b'_' | b'.' | b'@' => name.push(byte.into()),
                _ => name.push_str(&format!("%{byte:02x}")),
            }
        }
        directory.as_ref().join(format!("{name}.session"))
    }

    /// The database, opened if need be.
    fn opened(&mut self) -> Result<&Database, StoreError> {
        if self.database.is_none() {
            self.database = Some(guarded(|| open(&self.path, &self.client_id))?);
        }
        self.database.as_ref().ok_or(StoreError::InUse)
    }

    fn write(&mut self) -> Result<(), StoreError> {
        let changes = mem::take(&mut self.changes);
        let result = self.opened().and_then(|database| guarded(|| write(database, &changes)));
        // What comes later goes behind it.
        self.changes = changes;
        result
    }
}

impl SessionStore for FileStore {
    type Error = StoreError;

    fn put(&mut self, key: Key, value: &[u8]) -> Result<(), StoreError> {
        self.changes.push((key, Some(value.into())));
        Ok(())
    }

    fn remove(&mut self, key: Key) -> Result<(), StoreError> {
        self.changes.push((key, None));
        Ok(())
    }

    fn commit(&mut self) -> Result<(), StoreError> {
        let result = self.write();
        match &result {
            Ok(()) => self.changes.clear(),
            // It takes nothing more after a failure of the disk: another try begins with opening it.
            Err(_) => self.database = None,
        }
        result
    }

    fn load(&mut self, show: &mut dyn FnMut(Key, &[u8])) -> Result<(), StoreError> {
        let database = self.opened()?;
        guarded(|| {
            let transaction = database.begin_read()?;
            let table = match transaction.open_table(RECORDS) {
                Err(redb::TableError::TableDoesNotExist(_)) => return Ok(Ok(())),
                table => table?,
            };
            for record in table.iter()? {
                let (key, value) = record?;
                let Some(key) = Key::from_bytes(key.value()) else {
                    let foreign = format!("a record of another version: {:?}", key.value());
                    return Ok(Err(StoreError::Foreign(foreign)));
                };
                show(key, value.value());
            }
            Ok(Ok(()))
        })
    }
}

/// Opens the file and checks it, also if it was closed in order.
fn open(path: &Path, client_id: &str) -> Result<Result<Database, StoreError>, redb::Error> {
    let mut database = Builder::new().set_cache_size(CACHE).create(path)?;
    if !database.check_integrity()? {
        return Ok(Err(StoreError::Damaged("its checksums were wrong".into())));
    }
    let transaction = database.begin_write()?;
    let mut of = None;
    {
        let mut format = transaction.open_table(FORMAT)?;
        let version = format.get("version")?.map(|version| version.value().to_owned());
        match version.as_deref() {
            Some(VERSION) => of = format.get("client id")?.map(|id| id.value().to_owned()),
            Some(other) => return Ok(Err(StoreError::Foreign(format!("it is of the version '{other}'")))),
            None => {
                format.insert("version", VERSION)?;
                format.insert("client id", client_id)?;
            }
        }
    }
    if of.as_deref().is_some_and(|id| id != client_id) {
        return Ok(Err(StoreError::Foreign("it is the session of another client id".into())));
    }
    transaction.commit()?;
    Ok(Ok(database))
}

fn write(
    database: &Database,
    changes: &[(Key, Option<Vec<u8>>)],
) -> Result<Result<(), StoreError>, redb::Error> {
    let transaction = database.begin_write()?;
    {
        let mut table = transaction.open_table(RECORDS)?;
        for (key, value) in changes {
            match value {
                Some(value) => drop(table.insert(&key.to_bytes(), value.as_slice())?),
                None => drop(table.remove(&key.to_bytes())?),
            }
        }
    }
    transaction.commit()?;
    Ok(Ok(()))
}

/// Carries out an operation of the database, which may panic over a file that it did not write.
fn guarded<T>(
    operation: impl FnOnce() -> Result<Result<T, StoreError>, redb::Error>,
) -> Result<T, StoreError> {
    match catch_unwind(AssertUnwindSafe(operation)) {
        Ok(Ok(result)) => result,
        Ok(Err(error)) => Err(error.into()),
        Err(_) => Err(StoreError::Damaged("it can't be read".into())),
    }
}

impl From<redb::Error> for StoreError {
    fn from(error: redb::Error) -> Self {
        use redb::Error;
        match error {
            Error::DatabaseAlreadyOpen => Self::InUse,
            Error::Io(error) if error.kind() == io::ErrorKind::InvalidData => {
                Self::Damaged(error.to_string())
            }
            Error::Io(error) => Self::Io(error),
            Error::UpgradeRequired(_) | Error::TableTypeMismatch { .. } | Error::LockProtocolMismatch => {
                Self::Foreign(error.to_string())
            }
            Error::PreviousIo => Self::Io(io::Error::other(error)),
            other => Self::Damaged(other.to_string()),
        }
    }
}

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::InUse => {
                f.write_str("the session store is in use: one client id can be used by one client only")
            }
            Self::Damaged(detail) => write!(
                f,
                "the session store is damaged ({detail}); restore a copy, or move the file away to begin a new session"
            ),
            Self::Foreign(detail) => write!(
                f,
                "the file is not this client's session store ({detail}); choose another directory, or move it away"
            ),
            Self::Io(error) => write!(
                f,
                "the session store can't be read or written ({error}); check the disk's space and permissions"
            ),
        }
    }
}

impl std::error::Error for StoreError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Io(error) => Some(error),
            _ => None,
        }
    }
}

impl fmt::Debug for FileStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FileStore").field("path", &self.path).finish_non_exhaustive()
    }
}
