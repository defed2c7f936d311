//! From a record to a line in the lane of its worker. Made by `proxy` from the settings; each
//! worker has a [`Sink`].

use std::cell::RefCell;
use std::io;
use std::path::Path;
use std::sync::Arc;

use super::Record;
use super::stamp::Stamp;
use crate::config::{AccessLog, AccessLogFormat, AccessLogTo};
use crate::error::StartError;
use crate::log::file::LogFile;
use crate::log::lane::Kind;
use crate::log::program::{stderr_writer, stdout_writer};
use crate::log::writer::{Producer, Writer};

/// The access log of a proxy.
#[derive(Clone, Debug)]
pub(crate) struct Access {
    /// None if it is off.
    writer: Option<Arc<Writer>>,
    format: AccessLogFormat,
}

impl Access {
    /// # Errors
    ///
    /// [`StartError::AccessLog`] if it goes to a file that cannot be opened.
    pub(crate) fn open(settings: &AccessLog) -> Result<Self, StartError> {
        let failed = |source| StartError::System {
            action: "start the thread that writes the access log".into(),
            source,
        };
        let writer = match &settings.to {
            AccessLogTo::Stderr => Some(stderr_writer().map_err(failed)?),
            AccessLogTo::Stdout => Some(stdout_writer().map_err(failed)?),
            AccessLogTo::File(path) => Some(Writer::start(open(path)?).map_err(failed)?),
            AccessLogTo::Off => None,
        };
        Ok(Self {
            writer,
            format: settings.format,
        })
    }

    /// Whether [`Self::open`] would do. No file is made, and nothing is written.
    ///
    /// # Errors
    ///
    /// Those of [`Self::open`] about a file.
    pub(crate) fn probe(settings: &AccessLog) -> Result<(), StartError> {
        match &settings.to {
            AccessLogTo::File(path) => {
                LogFile::probe(path).map_err(|source| cannot_open(path, source))
            }
            AccessLogTo::Stderr | AccessLogTo::Stdout | AccessLogTo::Off => Ok(()),
        }
    }

    /// The half that one worker writes to.
    pub(crate) fn sink(&self) -> Sink {
        let writer = self.writer.as_ref();
        Sink {
            lines: writer.map(|writer| writer.producer(Kind::Access)),
            format: self.format,
            stamp: RefCell::new(Stamp::new()),
        }
    }

    /// Opens the file again if it was moved away. Lines do so as well: this is for those who look
    /// for the new file before there are any.
    pub(crate) fn reopen(&self) {
        if let Some(writer) = &self.writer {
            writer.reopen();
        }
    }

    /// Waits until everything is written. False if that takes more than half a second.
    pub(crate) fn close(self) -> bool {
        self.writer.is_none_or(|writer| writer.flush())
    }
}

fn open(path: &Path) -> Result<LogFile, StartError> {
    LogFile::open(path).map_err(|source| cannot_open(path, source))
}

fn cannot_open(path: &Path, source: io::Error) -> StartError {
    StartError::AccessLog {
        file: path.to_owned(),
        source,
    }
}

/// Where a worker's exchanges are written.
#[derive(Debug)]
pub(crate) struct Sink {
    lines: Option<Producer>,
    format: AccessLogFormat,
    stamp: RefCell<Stamp>,
}

impl Sink {
    /// Nothing is written: a record need not be made.
    pub(crate) fn is_off(&self) -> bool {
        self.lines.is_none()
    }

    /// Formats a line into the worker's lane. Never waits for what is written there.
    pub(crate) fn write(&self, record: &Record<'_>) {
        let Some(lines) = &self.lines else { return };
        let mut stamp = self.stamp.borrow_mut();
        let time = stamp.format(record.time);
        lines.push(|out| record.write(time, self.format, out));
    }
}
