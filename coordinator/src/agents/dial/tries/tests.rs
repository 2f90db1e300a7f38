use super::*;

const PATIENCE: Duration = Duration::from_secs(20);

fn host(counter: u64) -> HostId {
    HostId::new(1, counter)
}

fn silent(counter: u64, silent_for_s: u64, tunnels: bool) -> Silent {
    let silent_for = Duration::from_secs(silent_for_s);
    Silent { host: host(counter), silent_for, dialled_before: false, tunnels }
}

/// The time as these tests turn it.
struct Look {
    tries: Tries,
    now: Instant,
}

impl Look {
    fn new() -> Self {
        Self { tries: Tries::new(PATIENCE), now: Instant::now() }
    }

    fn after(&mut self, seconds: u64, silent: &[Silent]) -> Vec<(u64, &'static [Way])> {
        self.now += Duration::from_secs(seconds);
        self.tries.due(silent, self.now).into_iter().map(|due| (due.host.counter, due.ways)).collect()
    }

    fn ended(&mut self, counter: u64, way: Option<Way>) {
        self.tries.ended(host(counter), way, self.now);
    }
}

#[test]
fn an_agent_is_given_time_to_dial_in() {
    let mut look = Look::new();
    assert_eq!(look.after(0, &[silent(1, 19, false), silent(2, 20, false)]), [(2, &[Way::Direct][..])]);
}

#[test]
fn the_direct_way_comes_first_until_a_tunnel_was_the_one_that_led_there() {
    let mut look = Look::new();
    assert_eq!(look.after(0, &[silent(1, 20, true)]), [(1, &[Way::Direct, Way::Tunnel][..])]);
    look.ended(1, Some(Way::Tunnel));
    assert_eq!(look.after(1, &[silent(1, 21, true)]), [(1, &[Way::Tunnel, Way::Direct][..])]);
    look.ended(1, Some(Way::Tunnel));
    assert_eq!(look.after(60, &[]), [], "it has a session");
    assert_eq!(look.after(60, &[silent(1, 20, true)]), [(1, &[Way::Direct, Way::Tunnel][..])]);
}

#[test]
fn a_way_that_leads_to_nothing_gives_way_to_the_other() {
    let mut look = Look::new();
    let mut first = Vec::new();
    for led in [Way::Direct, Way::Direct, Way::Tunnel, Way::Tunnel, Way::Direct] {
        first.push(look.after(60, &[silent(1, 30, true)])[0].1[0]);
        look.ended(1, Some(led));
    }
    assert_eq!(first, [Way::Direct, Way::Direct, Way::Tunnel, Way::Tunnel, Way::Direct]);
}

#[test]
fn a_host_that_was_dialled_before_is_dialled_at_once() {
    let mut look = Look::new();
    let dialled_before = Silent { dialled_before: true, ..silent(1, 0, true) };
    assert_eq!(look.after(0, &[dialled_before, silent(2, 0, true)]).len(), 1);
}

#[test]
fn pauses_grow_while_nothing_is_heard_and_start_over_with_a_session() {
    for way in [None, Some(Way::Tunnel)] {
        let mut look = Look::new();
        for pause in [0, 1, 2, 4, 8, 16, 32, 60, 60] {
            if pause > 0 {
                assert_eq!(look.after(pause - 1, &[silent(1, 30, true)]), [], "{pause}");
            }
            assert_eq!(look.after(pause.min(1), &[silent(1, 30, true)]).len(), 1, "{pause}");
            assert_eq!(look.tries.is_first(host(1)), pause == 0);
            look.ended(1, way);
        }
        assert_eq!(look.after(1, &[]), []);
        assert_eq!(look.after(1, &[silent(1, 30, true)]).len(), 1);
        assert!(look.tries.is_first(host(1)));
    }
}

#[test]
fn many_that_are_gone_hold_up_no_other() {
    let mut look = Look::new();
    let gone: Vec<Silent> = (1..=AT_ONCE as u64).map(|counter| silent(counter, 60, true)).collect();
    assert_eq!(look.after(0, &gone).len(), AT_ONCE);
    let mut all = gone;
    all.push(silent(1000, 23, true));
    assert_eq!(look.after(1, &all), [], "there is no room");
    look.ended(1, None);
    look.ended(2, None);
    // Both are due again by now, but have waited for a shorter time than the newcomer.
    let hosts: Vec<u64> = look.after(2, &all).iter().map(|(host, _)| *host).collect();
    assert_eq!(hosts, [1000, 1]);
}

#[test]
fn a_host_is_dialled_by_one_at_a_time_and_forgotten_when_it_is_gone() {
    let mut look = Look::new();
    assert_eq!(look.after(0, &[silent(1, 60, false)]).len(), 1);
    assert_eq!(look.after(100, &[silent(1, 160, false)]), []);
    look.ended(1, None);
    assert_eq!(look.after(1, &[]), []);
    assert!(look.tries.hosts.is_empty());
}
