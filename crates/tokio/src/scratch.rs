//! A file as the database sees it, of which nothing is written: to find out whether it is sound, and to make the first
//! one.

use std::collections::BTreeMap;
use std::ops::{Bound, Range};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::{fmt, io};

use redb::backends::FileBackend;
use redb::{BackendError, StorageBackend};

const PAGE: u64 = 4096;

/// What is written stays in memory, over what the file has, if there is one.
#[derive(Clone, Debug)]
pub(crate) struct Scratch(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    file: Option<FileBackend>,
    written: Mutex<Written>,
}

#[derive(Default)]
struct Written {
    len: u64,
    /// The file behind this was cut off.
    file_len: u64,
    pages: BTreeMap<u64, Box<[u8; PAGE as usize]>>,
}

impl Scratch {
    /// Nothing to begin with.
    pub(crate) fn empty() -> Self {
        Self(Arc::new(Inner { file: None, written: Mutex::default() }))
    }

    /// Locks the file for as long as the database is open.
    pub(crate) fn over(file: FileBackend) -> io::Result<Self> {
        let len = file.len()?;
        let written = Written { len, file_len: len, pages: BTreeMap::new() };
        Ok(Self(Arc::new(Inner { file: Some(file), written: Mutex::new(written) })))
    }

    /// All of it.
    pub(crate) fn content(&self) -> io::Result<Vec<u8>> {
        let mut content = vec![0; usize::try_from(self.len()?).map_err(io::Error::other)?];
        self.read(0, &mut content)?;
        Ok(content)
    }

    fn written(&self) -> MutexGuard<'_, Written> {
        self.0.written.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn lock(
        &self,
        lock: impl FnOnce(&FileBackend) -> Result<bool, BackendError>,
    ) -> Result<bool, BackendError> {
        // Nobody else can have what is in memory.
        self.0.file.as_ref().map_or(Ok(true), lock)
    }
}

impl Inner {
    /// A part of one page as the file has it: zeros behind its end.
    fn read_file(&self, written: &Written, offset: u64, out: &mut [u8]) -> io::Result<()> {
        let there = written.file_len.saturating_sub(offset).min(out.len() as u64) as usize;
        let (there, behind) = out.split_at_mut(there);
        behind.fill(0);
        match &self.file {
            Some(file) if !there.is_empty() => file.read(offset, there),
            _ => Ok(()),
        }
    }
}

/// The parts of a run of bytes that lie in one page each: the page's number, where in the page, and which of the bytes.
fn parts(offset: u64, len: usize) -> impl Iterator<Item = (u64, usize, Range<usize>)> {
    let mut done = 0;
    std::iter::from_fn(move || {
        let at = offset + done as u64;
        let within = (at % PAGE) as usize;
        let part = (len - done).min(PAGE as usize - within);
        let range = done..done + part;
        done += part;
        (part > 0).then_some((at / PAGE, within, range))
    })
}

/// Whether it is all within the length.
fn check(written: &Written, offset: u64, len: usize) -> io::Result<()> {
    match offset.checked_add(len as u64) {
        Some(end) if end <= written.len => Ok(()),
        _ => Err(io::ErrorKind::UnexpectedEof.into()),
    }
}

impl StorageBackend for Scratch {
    fn len(&self) -> io::Result<u64> {
        Ok(self.written().len)
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        let written = self.written();
        check(&written, offset, out.len())?;
        for (page, within, range) in parts(offset, out.len()) {
            let out = &mut out[range];
            match written.pages.get(&page) {
                Some(bytes) => out.copy_from_slice(&bytes[within..within + out.len()]),
                None => self.0.read_file(&written, page * PAGE + within as u64, out)?,
            }
        }
        Ok(())
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        let mut written = self.written();
        written.len = len;
        written.file_len = written.file_len.min(len);
        written.pages.retain(|page, _| page * PAGE < len);
        if let Some(last) = written.pages.get_mut(&(len / PAGE)) {
            last[(len % PAGE) as usize..].fill(0);
        }
        Ok(())
    }

    fn sync_data(&self) -> io::Result<()> {
        Ok(())
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        let mut written = self.written();
        check(&written, offset, data.len())?;
        for (page, within, range) in parts(offset, data.len()) {
            if !written.pages.contains_key(&page) {
                let mut bytes = Box::new([0; PAGE as usize]);
                self.0.read_file(&written, page * PAGE, &mut bytes[..])?;
                written.pages.insert(page, bytes);
            }
            if let Some(bytes) = written.pages.get_mut(&page) {
                let data = &data[range];
                bytes[within..within + data.len()].copy_from_slice(data);
            }
        }
        Ok(())
    }

    fn close(&self) -> io::Result<()> {
        self.0.file.as_ref().map_or(Ok(()), FileBackend::close)
    }

    fn try_lock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<bool, BackendError> {
        self.lock(|file| file.try_lock_range(start, end))
    }

    fn try_lock_shared_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<bool, BackendError> {
        self.lock(|file| file.try_lock_shared_range(start, end))
    }

    fn lock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<(), BackendError> {
        self.lock(|file| file.lock_range(start, end).map(|()| true)).map(drop)
    }

    fn lock_shared_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<(), BackendError> {
        self.lock(|file| file.lock_shared_range(start, end).map(|()| true)).map(drop)
    }

    fn unlock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<(), BackendError> {
        self.lock(|file| file.unlock_range(start, end).map(|()| true)).map(drop)
    }

    fn query_lock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<bool, BackendError> {
        match &self.0.file {
            Some(file) => file.query_lock_range(start, end),
            None => Ok(false),
        }
    }
}

impl fmt::Debug for Written {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Written").field("len", &self.len).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn what_is_written_is_read_and_the_file_stays_as_it_was() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("file");
        let before: Vec<u8> = (0..10_000).map(|byte| byte as u8).collect();
        fs::write(&path, &before).unwrap();
        let file = fs::File::options().read(true).write(true).open(&path).unwrap();
        let scratch = Scratch::over(FileBackend::new(file).unwrap()).unwrap();
        let mut expected = before.clone();
        for (at, len) in [(0, 10), (4090, 20), (9_000, 1_000)] {
            let bytes = vec![0xaa; len];
            scratch.write(at as u64, &bytes).unwrap();
            expected[at..at + len].copy_from_slice(&bytes);
        }
        assert!(scratch.write(9_999, b"xx").is_err());
        for len in [20_000, 9_500, 4_100, 12_000, 9_500] {
            scratch.set_len(len).unwrap();
            expected.resize(len as usize, 0);
            assert!(scratch.content().unwrap() == expected);
        }
        assert!(fs::read(&path).unwrap() == before);
    }
}
