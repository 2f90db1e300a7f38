//! Pages of lists: bounded in rows and in bytes, resumed after the last row's key.

use std::fmt::Display;
use std::ops::Bound;
use std::str::FromStr;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use prost::Message;
use skep_types::{Refusal, limits};

/// Half of what a message may have: a row is at most about a quarter of it.
const PAGE_BYTES: usize = limits::GRPC_MESSAGE_BYTES / 2;

/// Which rows a caller asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Page<K> {
    after: Option<K>,
    rows: usize,
}

impl<K: FromStr> Page<K> {
    pub(super) fn read(page_size: u32, page_token: &str) -> Result<Self, Refusal> {
        let rows = match usize::try_from(page_size).unwrap_or(usize::MAX) {
            0 => limits::PAGE_SIZE,
            rows if rows <= limits::PAGE_SIZE => rows,
            rows => {
                let most = limits::PAGE_SIZE;
                return Err(Refusal::field("page_size", format!("is {rows}; ask for at most {most}")));
            }
        };
        let after = if page_token.is_empty() { None } else { Some(key(page_token)?) };
        Ok(Self { after, rows })
    }
}

fn key<K: FromStr>(token: &str) -> Result<K, Refusal> {
    let bytes = URL_SAFE_NO_PAD.decode(token).ok();
    let text = bytes.and_then(|bytes| String::from_utf8(bytes).ok());
    let wrong =
        || Refusal::field("page_token", "is none that a list of this kind gave out; begin anew without it");
    text.and_then(|text| text.parse().ok()).ok_or_else(wrong)
}

impl<K: Clone> Page<K> {
    /// The last key of the page before; None on the first.
    pub(super) fn after(&self) -> Option<K> {
        self.after.clone()
    }

    /// Of an ordered map: what comes after the page before.
    pub(super) fn range(&self) -> (Bound<K>, Bound<K>) {
        let from = self.after.clone().map_or(Bound::Unbounded, Bound::Excluded);
        (from, Bound::Unbounded)
    }
}

impl<K: Display> Page<K> {
    /// The rows of the page, and the token of the next one; empty on the last.
    pub(super) fn fill<R: Message>(&self, rows: impl Iterator<Item = (K, R)>) -> (Vec<R>, String) {
        let mut page = Vec::new();
        let mut last = None;
        let mut bytes = 0;
        for (key, row) in rows {
            bytes += row.encoded_len();
            if page.len() == self.rows || (bytes > PAGE_BYTES && !page.is_empty()) {
                return (
                    page,
                    last.map(|key: K| URL_SAFE_NO_PAD.encode(key.to_string())).unwrap_or_default(),
                );
            }
            page.push(row);
            last = Some(key);
        }
        (page, String::new())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use skep_proto::v1::Failure;
    use skep_types::HostId;

    use super::*;

    fn map(rows: u64, reason_bytes: usize) -> BTreeMap<HostId, Failure> {
        let row = |counter| {
            let reason = "x".repeat(reason_bytes);
            (HostId::new(1, counter), Failure { reason, count: 0, example: counter.to_string() })
        };
        (1..=rows).map(row).collect()
    }

    fn all_pages(map: &BTreeMap<HostId, Failure>, size: u32) -> Vec<Vec<String>> {
        let mut pages = Vec::new();
        let mut token = String::new();
        loop {
            let page: Page<HostId> = Page::read(size, &token).unwrap();
            let rows = map.range(page.range()).map(|(id, row)| (*id, row.clone()));
            let (rows, next) = page.fill(rows);
            pages.push(rows.into_iter().map(|row| row.example).collect());
            if next.is_empty() {
                return pages;
            }
            token = next;
        }
    }

    #[test]
    fn every_row_is_on_one_page_and_the_last_page_says_so() {
        let map = map(5, 1);
        assert_eq!(all_pages(&map, 2), [vec!["1", "2"], vec!["3", "4"], vec!["5"]]);
        assert_eq!(all_pages(&map, 5), [["1", "2", "3", "4", "5"]]);
        assert_eq!(all_pages(&map, 0).len(), 1);
    }

    #[test]
    fn a_page_of_large_rows_ends_before_its_message_is_too_large() {
        let pages = all_pages(&map(9, 600 * 1024), 0);
        assert_eq!(pages.iter().map(Vec::len).collect::<Vec<_>>(), [3, 3, 3]);
    }

    #[test]
    fn what_cannot_be_a_page_is_refused_by_name() {
        let field =
            |size, token: &str| Page::<HostId>::read(size, token).unwrap_err().violations[0].field.clone();
        assert_eq!(field(1_001, ""), "page_size");
        assert_eq!(field(1, "nonsense"), "page_token");
        assert_eq!(field(1, &URL_SAFE_NO_PAD.encode("s1-2")), "page_token");
    }
}
