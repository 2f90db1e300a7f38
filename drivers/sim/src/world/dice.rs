//! Chance that is the same in every run: each draw depends on the seed and on what it is for, not on who came first.

/// What a draw is for; two purposes never share a number.
#[derive(Debug, Clone, Copy)]
pub(super) enum Purpose {
    Latency = 1,
    LostReply = 2,
    LateReply = 3,
    Partial = 4,
}

/// `mean` ± 20 %, evenly.
pub(super) fn around(seed: u64, purpose: Purpose, which: u64, mean: u64) -> u64 {
    let spread = draw(seed, purpose, which) % 401;
    mean.saturating_mul(800 + spread) / 1000
}

pub(super) fn happens(seed: u64, purpose: Purpose, which: u64, percent: u8) -> bool {
    draw(seed, purpose, which) % 100 < u64::from(percent)
}

/// SplitMix64 (Steele, Lea, Flood 2014): one mixed number for one input.
fn draw(seed: u64, purpose: Purpose, which: u64) -> u64 {
    let mut z = seed ^ (purpose as u64).rotate_left(56) ^ which.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn latencies_stay_within_a_fifth_and_use_the_whole_range() {
        let drawn: Vec<u64> = (0..1000).map(|n| around(7, Purpose::Latency, n, 10_000)).collect();
        let (least, most) = (drawn.iter().min().unwrap(), drawn.iter().max().unwrap());
        assert!((8_000..8_200).contains(least) && (11_800..=12_000).contains(most), "{least} {most}");
    }

    #[test]
    fn a_chance_is_about_as_often_as_said() {
        let count = |percent| (0..1000).filter(|n| happens(1, Purpose::LostReply, *n, percent)).count();
        assert_eq!((count(0), count(100)), (0, 1000));
        assert!((150..350).contains(&count(25)), "{}", count(25));
    }
}
