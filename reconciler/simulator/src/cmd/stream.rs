//! Where a command's output goes.

use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::mpsc;

use crate::disk::{DiskError, OpenFile};

/// What came out of a program that runs over SSH.
#[derive(Debug)]
pub(crate) enum Chunk {
    Out(Vec<u8>),
    Error(Vec<u8>),
}

/// One output handle. A file stays open, and locked, until its last copy is gone.
#[derive(Clone)]
pub(crate) enum Output {
    Null,
    Out(mpsc::UnboundedSender<Chunk>),
    Error(mpsc::UnboundedSender<Chunk>),
    Buffer(Arc<Mutex<Vec<u8>>>),
    File(Arc<Mutex<OpenFile>>),
}

impl Output {
    pub(super) fn buffer() -> (Self, Arc<Mutex<Vec<u8>>>) {
        let buffer = Arc::new(Mutex::new(Vec::new()));
        (Self::Buffer(Arc::clone(&buffer)), buffer)
    }

    pub(super) fn file(file: OpenFile) -> Self {
        Self::File(Arc::new(Mutex::new(file)))
    }

    /// Writes; nobody listening is no error, a full disk is.
    pub(crate) fn write(&self, text: &str) -> Result<(), DiskError> {
        let bytes = text.as_bytes();
        match self {
            Self::Null => {}
            Self::Out(sender) => drop(sender.send(Chunk::Out(bytes.to_vec()))),
            Self::Error(sender) => drop(sender.send(Chunk::Error(bytes.to_vec()))),
            Self::Buffer(buffer) => {
                buffer.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(bytes);
            }
            Self::File(file) => {
                let mut file = file.lock().unwrap_or_else(PoisonError::into_inner);
                let end = file.len()?;
                file.write_at(end, bytes)?;
            }
        }
        Ok(())
    }
}

/// Standard output and standard error.
#[derive(Clone)]
pub(crate) struct Streams {
    pub(crate) out: Output,
    pub(crate) error: Output,
}

impl Streams {
    pub(crate) fn null() -> Self {
        Self { out: Output::Null, error: Output::Null }
    }

    /// A line on standard output, ended as Windows ends it.
    pub(crate) fn line(&self, text: &str) -> Result<(), DiskError> {
        self.out.write(&format!("{text}\r\n"))
    }

    /// A line on standard error; that it cannot be written is nobody's business.
    pub(crate) fn complain(&self, text: &str) {
        let _unwritten = self.error.write(&format!("{text}\r\n"));
    }
}
