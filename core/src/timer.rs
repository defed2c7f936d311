//! The clocks of a client's connection. `Deadlines` owns those that bytes move back; `TrackedIo`
//! tells it when bytes move and `UploadProgress` how far a request's body has come. `Step` bounds
//! single steps beside them. `Share` bounds what a task moves at a time. Both planes use this
//! module; it knows neither of them and speaks no protocol.

mod deadlines;
mod pace;
mod resettable;
mod share;
mod speaker;
mod step;
mod tracked;
mod upload;

pub(crate) use self::deadlines::{Deadlines, Expired};
pub(crate) use self::resettable::ResettableTimer;
pub(crate) use self::share::Share;
pub(crate) use self::speaker::Speaker;
pub(crate) use self::step::Step;
pub(crate) use self::tracked::{ClientStream, TrackedIo};
pub(crate) use self::upload::UploadProgress;
