//! The header fields that a hook may read and change. Changes are made to copies, which `instance`
//! hands out when the hook has ended well. `host` answers guests from here.

use std::cell::Cell;
use std::collections::HashMap;

use http::{HeaderMap, HeaderName, HeaderValue};
use portcullis_contract::field::is_owned;
use portcullis_contract::limits::{ADDED_FIELDS_BYTES, FIELD_NAME_BYTES, FIELDS};

/// The message whose fields are meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Side {
    Request,
    Response,
}

/// The fields of what is being judged.
#[derive(Debug, Default)]
pub(crate) struct Fields {
    pub(crate) request: HeaderMap,
    pub(crate) response: HeaderMap,
    /// Which of them the running hook may change.
    editable: Option<Side>,
    is_edited: bool,
    /// How much the running hook has added, in bytes.
    added: usize,
}

/// Why nothing was changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum EditError {
    /// The fields cannot be changed in the running hook.
    Immutable,
    /// The name or the value is not possible (RFC 9110, sections 5.1 and 5.5).
    Syntax,
    /// The field belongs to the proxy.
    Forbidden,
    /// The call has set and added more than [`ADDED_FIELDS_BYTES`], or there would be more than
    /// [`FIELDS`].
    TooLarge,
}

impl Fields {
    /// Begins a hook that may change the fields of the side `editable`.
    pub(crate) fn begin(&mut self, editable: Option<Side>) {
        self.editable = editable;
        self.is_edited = false;
        self.added = 0;
    }

    /// Ends the hook and gives the fields that it has changed.
    pub(crate) fn end(&mut self) -> Option<Box<HeaderMap>> {
        // A hook that can change none has none, and most hooks are of that kind.
        let editable = self.editable.take()?;
        let request = std::mem::take(&mut self.request);
        let response = std::mem::take(&mut self.response);
        self.is_edited.then(|| match editable {
            Side::Request => request.into(),
            Side::Response => response.into(),
        })
    }

    pub(crate) fn values(&self, side: Side, name: &str) -> Vec<Vec<u8>> {
        let Ok(name) = field_name(name) else {
            return Vec::new();
        };
        let values = self.of(side).get_all(name).iter();
        values.map(|value| value.as_bytes().to_vec()).collect()
    }

    pub(crate) fn names(&self, side: Side) -> Vec<String> {
        self.of(side).keys().map(ToString::to_string).collect()
    }

    /// Every field; those of one name together, in order.
    pub(crate) fn all(&self, side: Side) -> Vec<(String, Vec<u8>)> {
        let fields = self.of(side).iter();
        let owned = |(name, value): (&HeaderName, &HeaderValue)| {
            (name.to_string(), value.as_bytes().into())
        };
        fields.map(owned).collect()
    }

    pub(crate) fn set(&mut self, side: Side, name: &str, value: &[u8]) -> Result<(), EditError> {
        let (name, value) = field(name, value)?;
        let before = self.of(side).get_all(&name).iter().count();
        let headers = self.room(side, &name, &value, before)?;
        let set = headers.try_insert(name, value);
        set.map(drop).map_err(|_| EditError::TooLarge)
    }

    pub(crate) fn append(&mut self, side: Side, name: &str, value: &[u8]) -> Result<(), EditError> {
        let (name, value) = field(name, value)?;
        let headers = self.room(side, &name, &value, 0)?;
        let added = headers.try_append(name, value);
        added.map(drop).map_err(|_| EditError::TooLarge)
    }

    pub(crate) fn remove(&mut self, side: Side, name: &str) -> Result<(), EditError> {
        let name = changeable(name)?;
        if self.of(side).contains_key(&name) {
            self.check(side)?;
            self.edit(side).remove(name);
        }
        Ok(())
    }

    /// Puts `fields` in place of all that do not belong to the proxy. What the list says of the
    /// proxy's fields is left out, so that a list as [`Fields::all`] gives it changes nothing.
    pub(crate) fn set_all<'a>(
        &mut self,
        side: Side,
        fields: impl Iterator<Item = (&'a str, &'a [u8])>,
    ) -> Result<(), EditError> {
        self.check(side)?;
        let (mut headers, added) = self.listed(side, fields)?;
        let before = self.of(side).iter();
        for (name, value) in before.filter(|(name, _)| is_owned(name.as_str())) {
            add(&mut headers, name.clone(), value.clone())?;
        }
        *self.edit(side) = headers;
        self.added = added;
        Ok(())
    }

    /// The fields of a list, and how much the running hook has added with them. A field of the
    /// message counts as added where the list has it more often than the message. Each step takes
    /// as long as the field is: a filter is not stopped while it waits for this.
    fn listed<'a>(
        &self,
        side: Side,
        fields: impl Iterator<Item = (&'a str, &'a [u8])>,
    ) -> Result<(HeaderMap, usize), EditError> {
        let mut kept: HashMap<_, Cell<usize>> = HashMap::new();
        for field in self.of(side) {
            *kept.entry(field).or_default().get_mut() += 1;
        }
        let kept = &kept;
        let mut headers = HeaderMap::new();
        let mut added = self.added;
        for (name, value) in fields {
            let name = field_name(name)?;
            if is_owned(name.as_str()) {
                continue;
            }
            let value = HeaderValue::from_bytes(value).map_err(|_| EditError::Syntax)?;
            match kept.get(&(&name, &value)) {
                Some(left) if left.get() > 0 => left.set(left.get() - 1),
                _ => added += name.as_str().len() + value.len(),
            }
            if added > ADDED_FIELDS_BYTES {
                return Err(EditError::TooLarge);
            }
            add(&mut headers, name, value)?;
        }
        Ok((headers, added))
    }

    fn of(&self, side: Side) -> &HeaderMap {
        match side {
            Side::Request => &self.request,
            Side::Response => &self.response,
        }
    }

    /// The fields, if one more may be added in place of some.
    fn room(
        &mut self,
        side: Side,
        name: &HeaderName,
        value: &HeaderValue,
        replaced: usize,
    ) -> Result<&mut HeaderMap, EditError> {
        self.check(side)?;
        if self.of(side).len() - replaced >= FIELDS {
            return Err(EditError::TooLarge);
        }
        let added = self.added + name.as_str().len() + value.len();
        if added > ADDED_FIELDS_BYTES {
            return Err(EditError::TooLarge);
        }
        self.added = added;
        Ok(self.edit(side))
    }

    /// Whether the running hook may change the fields of that side.
    fn check(&self, side: Side) -> Result<(), EditError> {
        if self.editable == Some(side) {
            return Ok(());
        }
        Err(EditError::Immutable)
    }

    fn edit(&mut self, side: Side) -> &mut HeaderMap {
        self.is_edited = true;
        match side {
            Side::Request => &mut self.request,
            Side::Response => &mut self.response,
        }
    }
}

/// Adds a field, if there are not too many.
pub(super) fn add(
    fields: &mut HeaderMap,
    name: HeaderName,
    value: HeaderValue,
) -> Result<(), EditError> {
    if fields.len() >= FIELDS {
        return Err(EditError::TooLarge);
    }
    let added = fields.try_append(name, value);
    added.map(drop).map_err(|_| EditError::TooLarge)
}

/// A field that a filter may set.
pub(super) fn field(name: &str, value: &[u8]) -> Result<(HeaderName, HeaderValue), EditError> {
    let name = changeable(name)?;
    let value = HeaderValue::from_bytes(value).map_err(|_| EditError::Syntax)?;
    Ok((name, value))
}

fn field_name(name: &str) -> Result<HeaderName, EditError> {
    if name.len() > FIELD_NAME_BYTES {
        return Err(EditError::Syntax);
    }
    HeaderName::try_from(name).map_err(|_| EditError::Syntax)
}

fn changeable(name: &str) -> Result<HeaderName, EditError> {
    let name = field_name(name)?;
    if is_owned(name.as_str()) {
        return Err(EditError::Forbidden);
    }
    Ok(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields(editable: Option<Side>) -> Fields {
        let mut fields = Fields::default();
        for (name, value) in [("cookie", "a=1"), ("cookie", "b=2"), ("host", "a.example")] {
            let value = HeaderValue::from_static(value);
            fields.request.append(name, value);
        }
        fields.begin(editable);
        fields
    }

    #[test]
    fn a_hook_changes_the_fields_of_its_side() {
        let mut fields = fields(Some(Side::Request));
        fields.set(Side::Request, "Cookie", b"c=3").unwrap();
        fields.append(Side::Request, "X-A", b"\xff").unwrap();
        fields.append(Side::Request, "x-a", b"2").unwrap();
        assert_eq!(fields.values(Side::Request, "COOKIE"), [b"c=3"]);
        assert_eq!(fields.names(Side::Request), ["cookie", "host", "x-a"]);
        fields.remove(Side::Request, "Cookie").unwrap();
        let left = fields.end().unwrap();
        assert_eq!(left.get_all("x-a").iter().count(), 2);
        assert!(!left.contains_key("cookie"));
        assert_eq!(fields.names(Side::Request), [""; 0]);
    }

    #[test]
    fn what_was_not_changed_is_not_handed_out() {
        let mut fields = fields(Some(Side::Request));
        fields.remove(Side::Request, "x-unknown").unwrap();
        assert!(fields.set(Side::Request, "host", b"evil.example").is_err());
        // With the proxy's own field there would be too many.
        let list = std::iter::repeat_n(("x", &b""[..]), FIELDS);
        assert!(fields.set_all(Side::Request, list).is_err());
        assert_eq!(fields.end(), None);
    }

    #[test]
    fn other_fields_than_the_hooks_own_stay_as_they_are() {
        let mut fields = fields(Some(Side::Response));
        let refused = Err(EditError::Immutable);
        assert_eq!(fields.set(Side::Request, "cookie", b""), refused);
        assert_eq!(fields.append(Side::Request, "cookie", b""), refused);
        assert_eq!(fields.remove(Side::Request, "cookie"), refused);
    }

    #[test]
    fn what_would_break_the_message_is_refused() {
        let mut fields = fields(Some(Side::Request));
        for name in ["", "a b", "a:", "\u{e9}"] {
            let refused = Err(EditError::Syntax);
            assert_eq!(fields.set(Side::Request, name, b""), refused);
        }
        for name in [
            "Content-Length",
            "TRANSFER-ENCODING",
            "connection",
            "Host",
            "via",
        ] {
            let refused = Err(EditError::Forbidden);
            assert_eq!(fields.append(Side::Request, name, b"1"), refused);
            assert_eq!(fields.remove(Side::Request, name), refused);
        }
        for value in [&b"a\r\nb: c"[..], b"a\nb", b"\0"] {
            let refused = Err(EditError::Syntax);
            assert_eq!(fields.set(Side::Request, "x", value), refused);
        }
    }

    #[test]
    fn a_call_adds_so_much_whatever_the_message_came_with() {
        let mut fields = fields(Some(Side::Request));
        let large = vec![b'x'; ADDED_FIELDS_BYTES];
        let came = HeaderValue::from_bytes(&large).unwrap();
        fields.request.insert("x-large", came);
        let half = &large[..ADDED_FIELDS_BYTES / 2];
        fields.set(Side::Request, "x", half).unwrap();
        fields.remove(Side::Request, "x").unwrap();
        let refused = Err(EditError::TooLarge);
        assert_eq!(fields.append(Side::Request, "y", half), refused);
        assert_eq!(fields.set(Side::Request, "y", half), refused);
        fields.set(Side::Request, "y", b"1").unwrap();

        fields.begin(Some(Side::Request));
        fields.append(Side::Request, "y", half).unwrap();
    }

    #[test]
    fn a_list_of_all_fields_goes_back_as_it_came() {
        let mut fields = fields(Some(Side::Request));
        let before = fields.request.clone();
        let all = fields.all(Side::Request);
        let list = |all: &[(String, Vec<u8>)]| -> Vec<(String, Vec<u8>)> { all.to_vec() };
        let given = list(&all);
        let given = given.iter().map(|(name, value)| (&**name, &**value));
        fields.set_all(Side::Request, given).unwrap();
        assert_eq!(fields.request, before);
        assert_eq!(fields.added, 0);
    }

    #[test]
    fn a_list_that_adds_more_than_it_may_is_not_read_to_its_end() {
        let mut fields = fields(Some(Side::Request));
        let came = FIELDS - fields.request.len();
        for n in 0..came {
            let value = HeaderValue::from(n % 7);
            fields.request.append("a", value);
        }
        let before = fields.request.clone();
        let large = [b'x'; 1000];
        for (value, most) in [
            (&b"0"[..], FIELDS),
            // Those that are there already add nothing.
            (&large, ADDED_FIELDS_BYTES / (1 + large.len())),
        ] {
            let read = Cell::new(0);
            let list = std::iter::repeat_n(("a", value), 1_000_000);
            let list = list.inspect(|_| read.set(read.get() + 1));
            let refused = fields.set_all(Side::Request, list);
            assert_eq!(refused, Err(EditError::TooLarge));
            assert_eq!(read.get(), most + 1);
            assert_eq!(fields.request, before);
        }
    }

    #[test]
    fn a_message_has_no_more_fields_than_the_proxy_takes() {
        let mut fields = fields(Some(Side::Request));
        let fill = |fields: &mut Fields| {
            while fields.append(Side::Request, "x", b"").is_ok() {}
            fields.request.len()
        };
        assert_eq!(fill(&mut fields), FIELDS);
        let refused = Err(EditError::TooLarge);
        assert_eq!(fields.set(Side::Request, "y", b""), refused);
        // What is replaced makes room.
        fields.set(Side::Request, "cookie", b"").unwrap();
        assert_eq!(fill(&mut fields), FIELDS);

        // The proxy's own fields count, too. What was refused has added nothing.
        let list = |count| std::iter::repeat_n(("x", &b""[..]), count);
        let added = fields.added;
        assert_eq!(fields.set_all(Side::Request, list(FIELDS)), refused);
        assert_eq!(fields.added, added);
        assert_eq!(fields.values(Side::Request, "cookie"), [b""]);
        fields.set_all(Side::Request, list(FIELDS - 1)).unwrap();
        assert_eq!(fields.request.len(), FIELDS);
    }

    #[test]
    fn a_list_replaces_all_fields_but_the_proxys() {
        let mut fields = fields(Some(Side::Request));
        let list = [("X-A", &b"1"[..]), ("Host", b"evil.example"), ("x-a", b"2")];
        fields.set_all(Side::Request, list.into_iter()).unwrap();
        assert_eq!(fields.names(Side::Request), ["x-a", "host"]);
        assert_eq!(fields.values(Side::Request, "host"), [b"a.example"]);
        assert_eq!(fields.values(Side::Request, "x-a"), [b"1", b"2"]);

        let wrong = [("x-b", &b"1"[..]), ("x-c", b"a\r\nb: c")];
        let refused = fields.set_all(Side::Request, wrong.into_iter());
        assert_eq!(refused, Err(EditError::Syntax));
        assert_eq!(fields.names(Side::Request), ["x-a", "host"]);
    }
}
