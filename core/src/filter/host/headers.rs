//! The header fields of requests and of responses.

use super::{Served, State};
use crate::filter::bindings::portcullis::filter::{request_headers, response_headers, types};
use crate::filter::fields::{EditError, Fields, Side};

impl From<EditError> for types::HeaderError {
    fn from(error: EditError) -> Self {
        match error {
            EditError::Immutable => Self::Immutable,
            EditError::Syntax => Self::InvalidSyntax,
            EditError::Forbidden => Self::Forbidden,
            EditError::TooLarge => Self::SizeExceeded,
        }
    }
}

impl State {
    fn edit(
        &mut self,
        interface: &'static str,
        edit: impl FnOnce(&mut Fields) -> Result<(), EditError>,
    ) -> Served<Result<(), types::HeaderError>> {
        self.serve_exchange(interface, |state| {
            if state.host.refuses_fields {
                return Err(types::HeaderError::Forbidden);
            }
            edit(&mut state.fields).map_err(Into::into)
        })
    }
}

/// Both interfaces have the same functions, on different fields.
macro_rules! headers {
    ($interface:ident, $name:literal, $side:expr) => {
        impl $interface::Host for State {
            fn get(&mut self, name: String) -> Served<Vec<Vec<u8>>> {
                self.serve_exchange($name, |state| state.fields.values($side, &name))
            }

            fn names(&mut self) -> Served<Vec<String>> {
                self.serve_exchange($name, |state| state.fields.names($side))
            }

            fn all(&mut self) -> Served<Vec<types::Field>> {
                self.serve_exchange($name, |state| {
                    let all = state.fields.all($side).into_iter();
                    let field = |(name, value)| types::Field { name, value };
                    all.map(field).collect()
                })
            }

            fn set(
                &mut self,
                name: String,
                value: Vec<u8>,
            ) -> Served<Result<(), types::HeaderError>> {
                self.edit($name, |fields| fields.set($side, &name, &value))
            }

            fn append(
                &mut self,
                name: String,
                value: Vec<u8>,
            ) -> Served<Result<(), types::HeaderError>> {
                self.edit($name, |fields| fields.append($side, &name, &value))
            }

            fn remove(&mut self, name: String) -> Served<Result<(), types::HeaderError>> {
                self.edit($name, |fields| fields.remove($side, &name))
            }

            fn set_all(
                &mut self,
                all: Vec<types::Field>,
            ) -> Served<Result<(), types::HeaderError>> {
                self.edit($name, |fields| {
                    let all = all.iter().map(|field| (&*field.name, &*field.value));
                    fields.set_all($side, all)
                })
            }
        }
    };
}

headers!(request_headers, "request-headers", Side::Request);
headers!(response_headers, "response-headers", Side::Response);
