//! The header fields of the two messages of an exchange.

use portcullis_contract::field;

use crate::HeaderError;
use crate::bindings::capabilities::portcullis::filter::types::{self, FieldParam};
use crate::bindings::capabilities::portcullis::filter::{request_headers, response_headers};

/// The message whose fields are read or changed.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Fields {
    OfRequest,
    OfResponse,
}

impl Fields {
    pub(crate) fn get(&self, name: &str) -> Vec<Vec<u8>> {
        match self {
            Self::OfRequest => request_headers::get(name),
            Self::OfResponse => response_headers::get(name),
        }
    }

    pub(crate) fn names(&self) -> Vec<String> {
        match self {
            Self::OfRequest => request_headers::names(),
            Self::OfResponse => response_headers::names(),
        }
    }

    pub(crate) fn all(&self) -> Vec<(String, Vec<u8>)> {
        let all = match self {
            Self::OfRequest => request_headers::all(),
            Self::OfResponse => response_headers::all(),
        };
        all.into_iter()
            .map(|field| (field.name, field.value))
            .collect()
    }

    pub(crate) fn set(&mut self, name: &str, value: Vec<u8>) -> Result<(), HeaderError> {
        let set = match self {
            Self::OfRequest => request_headers::set(name, &value),
            Self::OfResponse => response_headers::set(name, &value),
        };
        set.map_err(|error| header_error(error, name))
    }

    pub(crate) fn append(&mut self, name: &str, value: Vec<u8>) -> Result<(), HeaderError> {
        let appended = match self {
            Self::OfRequest => request_headers::append(name, &value),
            Self::OfResponse => response_headers::append(name, &value),
        };
        appended.map_err(|error| header_error(error, name))
    }

    pub(crate) fn remove(&mut self, name: &str) -> Result<(), HeaderError> {
        let removed = match self {
            Self::OfRequest => request_headers::remove(name),
            Self::OfResponse => response_headers::remove(name),
        };
        removed.map_err(|error| header_error(error, name))
    }

    pub(crate) fn set_all(&mut self, fields: &[(String, Vec<u8>)]) -> Result<(), HeaderError> {
        let params: Vec<FieldParam<'_>> = fields
            .iter()
            .map(|(name, value)| FieldParam { name, value })
            .collect();
        let set = match self {
            Self::OfRequest => request_headers::set_all(&params),
            Self::OfResponse => response_headers::set_all(&params),
        };
        set.map_err(|error| {
            // The proxy does not say which of them it is.
            let is_wrong = |(name, value): &&(String, Vec<u8>)| {
                !field::is_name(name) || !field::is_value(value)
            };
            let wrong = fields.iter().find(is_wrong);
            header_error(error, wrong.map_or("", |(name, _)| name))
        })
    }
}

/// The error about the field of that name.
pub(super) fn header_error(error: types::HeaderError, name: &str) -> HeaderError {
    match error {
        types::HeaderError::InvalidSyntax => HeaderError::InvalidSyntax(name.to_owned()),
        types::HeaderError::Forbidden => HeaderError::Forbidden(name.to_owned()),
        types::HeaderError::Immutable => HeaderError::Immutable,
        types::HeaderError::SizeExceeded => HeaderError::SizeExceeded,
        types::HeaderError::Other(problem) => HeaderError::Other(problem),
    }
}
