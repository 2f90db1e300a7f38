//! Spans of time, short: one unit, as coarse as still says something.

/// "0s", "59s", "12m", "3h", "5d".
pub(crate) fn short(ms: u64) -> String {
    let seconds = ms / 1_000;
    match seconds {
        0..=119 => format!("{seconds}s"),
        120..=7_199 => format!("{}m", seconds / 60),
        7_200..=172_799 => format!("{}h", seconds / 3_600),
        _ => format!("{}d", seconds / 86_400),
    }
}

/// For what somebody waited for: "0.4 s", "12.3 s", "4 min 10 s".
pub(crate) fn took(ms: u64) -> String {
    if ms < 60_000 {
        return format!("{}.{} s", ms / 1_000, ms % 1_000 / 100);
    }
    format!("{} min {} s", ms / 60_000, ms % 60_000 / 1_000)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_spans() {
        let spans = [0, 59_999, 119_000, 120_000, 7_199_000, 7_200_000, 172_800_000].map(short);
        assert_eq!(spans, ["0s", "59s", "119s", "2m", "119m", "2h", "2d"]);
    }

    #[test]
    fn waits() {
        assert_eq!([400, 12_345, 250_000].map(took), ["0.4 s", "12.3 s", "4 min 10 s"]);
    }
}
