//! Sessions on disk: one file for each client id.

use std::hash::Hasher;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::{fmt, fs, io, mem};

use mqtt_p2p_core::{Client, Config, Growing, Key, RestoreError, SessionStore};
use redb::backends::FileBackend;
use redb::{Builder, Database, ReadableDatabase, ReadableTable, StorageBackend, TableDefinition};
use siphasher::sip::SipHasher24;

use crate::scratch::Scratch;

const RECORDS: TableDefinition<'_, &[u8; Key::LEN], &[u8]> = TableDefinition::new("session");
const FORMAT: TableDefinition<'_, &str, &str> = TableDefinition::new("format");
/// What is in the records: [`Key`] and its records, first edition.
const VERSION: &str = "mqtt-p2p session 1";
/// Sessions are short.
const CACHE: usize = 4 * 1024 * 1024;
/// File systems take names of 255 bytes.
const LONGEST_NAME: usize = 200;

/// A session in a file, for [`Options::session_store`](crate::Options::session_store).
///
/// What a client accepts is in the file before [`publish`](crate::Client::publish) returns, and before a byte of it goes
/// out. The program can be killed at any moment, also in the middle of a write; the next one that opens the file goes on
/// with the session: publications of QoS 1 and 2 that the server has not taken, incoming messages of QoS 2, and
/// subscriptions.
///
/// *A call of `publish` that never returned*, because the program was killed in it, may have been accepted or not; the
/// same goes for one that ended with [`PublishError::Closed`](crate::PublishError::Closed) after the disk had failed. Who
/// repeats the message may send it twice, who does not may not send it at all: so write down what is about to be
/// published before the call, and that it was after it, and let the message carry a number that its receivers know it
/// by.
///
/// While a client has the file open, nobody else can open it, in this process or another. It holds payloads, so that on
/// Unix only its owner may read it; give the directory to nobody else either.
pub struct FileStore {
    path: PathBuf,
    client_id: String,
    /// `None` after a failure: it is opened again.
    database: Option<Database>,
    /// How often it had been opened, by anybody, when this one did: it counts nothing that is opened again.
    turn: Option<u64>,
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
    /// Opens the session of a client id in this directory, or begins one. Both are made if they are not there. A file
    /// that is there is checked, which takes time in proportion to it, and after a crash repaired: what was being
    /// written is either there or not. Before that, all of it is read without a change: one that is refused stays as it
    /// is.
    ///
    /// It blocks for the disk.
    ///
    /// # Errors
    /// [`StoreError`]: a damaged file is never reset. To begin anew, move it away; [`path`](Self::path) tells which it
    /// is.
    pub fn open(directory: impl AsRef<Path>, client_id: &str) -> Result<Self, StoreError> {
        let path = Self::path(&directory, client_id);
        if !path.exists() {
            begin(directory.as_ref(), &path, client_id)?;
        }
        let mut store =
            Self { path, client_id: client_id.into(), database: None, turn: None, changes: Vec::new() };
        store.opened()?;
        Ok(store)
    }

    /// The file that holds the session of this client id: its characters, where they are no letters, digits, `-`, `_`, `.`
    /// or `@`, as `%` and two digits for each byte. Of what is longer than 200 characters then, the end is replaced by a
    /// hash.
    pub fn path(directory: impl AsRef<Path>, client_id: &str) -> PathBuf {
        let mut name = String::new();
        for byte in client_id.bytes() {
            match byte {
                b'0'..=b'9' | b'A'..=b'Z' | b'a'..=b'z' | b'-' | b'_' | b'.' | b'@' => name.push(byte.into()),
                _ => name.push_str(&format!("%{byte:02x}")),
            }
        }
        if name.len() > LONGEST_NAME {
            // Two that meet in one name are told apart by what is in the file.
            let mut hasher = SipHasher24::new();
            hasher.write(client_id.as_bytes());
            name.truncate(LONGEST_NAME - 17);
            name.push_str(&format!("~{:016x}", hasher.finish()));
        }
        directory.as_ref().join(format!("{name}.session"))
    }

    /// The database, opened if need be.
    fn opened(&mut self) -> Result<&Database, StoreError> {
        if self.database.is_none() {
            inspect(&self.path, &self.client_id)?;
            let (database, turn) = guarded(|| open(&self.path, self.turn))?;
            self.database = Some(database);
            self.turn = Some(turn);
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
        // Of a client that ended before it could be committed: as after a crash, it never was.
        self.changes.clear();
        let database = self.opened()?;
        guarded(|| load(database, show))
    }
}

/// What is read from a file that is only looked at.
struct Trial(Database);

impl SessionStore for Trial {
    type Error = StoreError;

    fn put(&mut self, _: Key, _: &[u8]) -> Result<(), StoreError> {
        Ok(())
    }

    fn remove(&mut self, _: Key) -> Result<(), StoreError> {
        Ok(())
    }

    fn load(&mut self, show: &mut dyn FnMut(Key, &[u8])) -> Result<(), StoreError> {
        guarded(|| load(&self.0, show))
    }
}

/// Makes the first file, whole or not at all.
fn begin(directory: &Path, path: &Path, client_id: &str) -> Result<(), StoreError> {
    let made: Vec<_> = directory.ancestors().take_while(|ancestor| !ancestor.exists()).collect();
    fs::create_dir_all(directory).map_err(StoreError::Io)?;
    let content = guarded(|| {
        let scratch = Scratch::empty();
        let database = Builder::new().set_cache_size(CACHE).create_with_backend(scratch.clone())?;
        let transaction = database.begin_write()?;
        {
            let mut format = transaction.open_table(FORMAT)?;
            format.insert("version", VERSION)?;
            format.insert("client id", client_id)?;
        }
        transaction.commit()?;
        drop(database);
        Ok(scratch.content().map_err(StoreError::Io))
    })?;
    let put = || {
        let mut new = path.as_os_str().to_owned();
        new.push(".new");
        let mut options = fs::File::options();
        options.create(true).truncate(false).write(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let mut file = options.open(&new)?;
        match file.try_lock() {
            Err(fs::TryLockError::WouldBlock) => return Ok(Err(StoreError::InUse)),
            Err(fs::TryLockError::Error(error)) if error.kind() != io::ErrorKind::Unsupported => {
                return Err(error);
            }
            _ => {}
        }
        // Another process may have been faster, and the file may be its.
        if !path.exists() {
            file.set_len(0)?;
            io::Write::write_all(&mut file, &content)?;
            file.sync_all()?;
            fs::rename(&new, path)?;
            sync_directory(directory)?;
            made.iter().filter_map(|made| made.parent()).try_for_each(sync_directory)?;
        }
        // To close it would not do: a process that another thread is just starting has it too for a moment, and its lock
        // with it.
        let _ = file.unlock();
        Ok(Ok(()))
    };
    put().map_err(StoreError::Io)?
}

/// Makes what is new in a directory outlive a failure of the power.
fn sync_directory(directory: &Path) -> io::Result<()> {
    if cfg!(unix) {
        // An empty path is the current directory.
        fs::File::open(Path::new(".").join(directory))?.sync_all()?;
    }
    Ok(())
}

/// Whether it is the session of this client, and one that can be taken over. Nothing is changed.
fn inspect(path: &Path, client_id: &str) -> Result<(), StoreError> {
    let database = guarded(|| {
        let file = FileBackend::new(fs::File::options().read(true).write(true).open(path)?)?;
        if file.len()? == 0 {
            return Ok(Err(StoreError::Damaged("it is empty".into())));
        }
        let database = Builder::new()
            .set_cache_size(CACHE)
            .set_check_integrity_on_open(true)
            .create_with_backend(Scratch::over(file)?)?;
        let transaction = database.begin_read()?;
        let format = match transaction.open_table(FORMAT) {
            Err(redb::TableError::TableDoesNotExist(_)) => {
                return Ok(Err(StoreError::Foreign("it is another program's database".into())));
            }
            table => table?,
        };
        let version = format.get("version")?.map(|version| version.value().to_owned());
        if version.as_deref() != Some(VERSION) {
            let version = version.unwrap_or_default();
            return Ok(Err(StoreError::Foreign(format!("it is of the version '{version}'"))));
        }
        if format.get("client id")?.is_none_or(|id| id.value() != client_id) {
            return Ok(Err(StoreError::Foreign("it is the session of another client id".into())));
        }
        Ok(Ok(database))
    })?;
    let mut client = Client::new(Config::new(), 0, Growing::new(usize::MAX));
    match client.restore(&mut Trial(database)) {
        Ok(()) => Ok(()),
        Err(RestoreError::Store(error)) => Err(error),
        Err(error) => Err(StoreError::Damaged(error.to_string())),
    }
}

/// Opens it for writing, after [`inspect`] has looked at all of it. `turn`: it was open before, and nobody else may have had it since.
fn open(path: &Path, turn: Option<u64>) -> Result<Result<(Database, u64), StoreError>, redb::Error> {
    let database = Builder::new().set_cache_size(CACHE).open(path)?;
    let transaction = database.begin_write()?;
    let last = {
        let mut format = transaction.open_table(FORMAT)?;
        let last = format.get("turn")?.and_then(|turn| turn.value().parse().ok()).unwrap_or(0_u64);
        format.insert("turn", last.wrapping_add(u64::from(turn.is_none())).to_string().as_str())?;
        last
    };
    match turn {
        Some(turn) if turn != last => return Ok(Err(StoreError::InUse)),
        Some(_) => drop(transaction),
        None => transaction.commit()?,
    }
    Ok(Ok((database, turn.unwrap_or(last.wrapping_add(1)))))
}

fn load(
    database: &Database,
    show: &mut dyn FnMut(Key, &[u8]),
) -> Result<Result<(), StoreError>, redb::Error> {
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
