//! The registry of the running Windows.

use std::sync::Arc;

use windows_registry::{Key, LOCAL_MACHINE, USERS};

use super::{NAMES_LIMIT, Registry, VALUE_LIMIT, Value};
use crate::observation::{ReadFailure, UnreadReason};

/// Source: <https://learn.microsoft.com/windows/win32/debug/system-error-codes--0-499->
const ERROR_FILE_NOT_FOUND: i32 = 2;
const ERROR_PATH_NOT_FOUND: i32 = 3;
const ERROR_ACCESS_DENIED: i32 = 5;

pub(super) fn registry() -> Option<Arc<dyn Registry>> {
    Some(Arc::new(Live))
}

struct Live;

impl Registry for Live {
    fn value(&self, key: &str, name: &str) -> Result<Value, UnreadReason> {
        let value = understood(open(key)?.get_value(name))?;
        let octets = value.get(..value.len().min(VALUE_LIMIT)).unwrap_or_default();
        Ok(Value::of(value.ty().into(), octets))
    }

    fn names(&self, key: &str) -> Result<Vec<String>, UnreadReason> {
        let key = open(key)?;
        let values = understood(key.values())?;
        Ok(values.take(NAMES_LIMIT).map(|(name, _)| name).collect())
    }

    fn keys(&self, key: &str) -> Result<Vec<String>, UnreadReason> {
        let key = open(key)?;
        let keys = understood(key.keys())?;
        Ok(keys.take(NAMES_LIMIT).collect())
    }

    fn stale(&self) -> Vec<String> {
        Vec::new()
    }
}

fn open(key: &str) -> Result<Key, UnreadReason> {
    let (root, rest) = key.split_once('\\').unwrap_or((key, ""));
    let root = match root {
        "HKLM" => LOCAL_MACHINE,
        "HKU" => USERS,
        _ => return Err(UnreadReason::Failed(ReadFailure::Missing)),
    };
    understood(root.open(rest))
}

/// The lower half of a code is that of Windows itself.
fn understood<T>(result: windows_registry::Result<T>) -> Result<T, UnreadReason> {
    result.map_err(|error| {
        UnreadReason::Failed(match error.code().0 & 0xffff {
            ERROR_FILE_NOT_FOUND | ERROR_PATH_NOT_FOUND => ReadFailure::Missing,
            ERROR_ACCESS_DENIED => ReadFailure::NotPermitted,
            code => ReadFailure::Code(Some(code)),
        })
    })
}
