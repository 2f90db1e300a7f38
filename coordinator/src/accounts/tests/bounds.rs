//! Limits that change, and drivers that are replaced, while calls wait; and those of whoever only looks.

use futures::future::join_all;

use super::*;

impl Lab {
    fn limit(&self, per_minute: u32, burst: u32) {
        let bucket = Bucket { per_minute, burst };
        self.change(|account| {
            account.settings.limits.buckets.calls.insert(CallClass::Read, bucket);
        });
    }

    /// Five lists at once, and what happens after half a minute: after how many seconds each was made.
    async fn lists_while(&self, happens: impl FnOnce()) -> Vec<u64> {
        let begun = Instant::now();
        let list = async |driver: Arc<dyn Driver>| {
            driver.list("c", None).await.unwrap();
            begun.elapsed().as_secs()
        };
        let drivers = (0..5).map(|_| self.accounts.acting(&prod(), &self.lease).unwrap());
        let change = async {
            tokio::time::sleep(Duration::from_secs(30)).await;
            happens();
            self.accounts.keep_up();
        };
        tokio::join!(join_all(drivers.map(list)), change).0
    }
}

#[tokio::test(start_paused = true)]
async fn calls_that_wait_already_are_under_limits_that_were_set_since() {
    let lab = Lab::new();
    lab.limit(1, 1);
    assert_eq!(lab.lists_while(|| lab.limit(60, 5)).await, [0, 31, 32, 33, 34]);
    let lab = Lab::new();
    lab.limit(4, 1);
    assert_eq!(lab.lists_while(|| lab.limit(1, 1)).await, [0, 15, 90, 150, 210]);
}

/// Whatever others change of an account is nothing to them.
#[tokio::test(start_paused = true)]
async fn calls_that_wait_go_on_waiting_when_nothing_of_the_limits_has_changed() {
    let lab = Lab::new();
    lab.limit(4, 1);
    let change = || lab.change(|account| account.settings.limits.calls_in_flight = Some(1));
    assert_eq!(lab.lists_while(change).await, [0, 15, 30, 45, 60]);
}

#[tokio::test(start_paused = true)]
async fn another_program_fills_from_the_bucket_that_calls_wait_for() {
    let lab = Lab::new();
    lab.limit(4, 1);
    let other = FakeKind::new();
    let replaced = || {
        lab.drivers.replace([Arc::clone(&other) as Arc<dyn Kind>], &[]);
        lab.accounts.acting(&prod(), &lab.lease).unwrap();
    };
    assert_eq!(lab.lists_while(replaced).await, [0, 15, 30, 45, 60]);
    assert_eq!(lab.lists(1).await.as_secs(), 15);
    assert_eq!(other.opened.lock().unwrap().len(), 1);
}

/// As many as the account's endpoint takes, and none of the owner's.
#[tokio::test(start_paused = true)]
async fn looks_are_bounded_by_a_bucket_of_their_own() {
    let lab = Lab::new();
    let looks = async |count: usize| {
        let begun = Instant::now();
        for _ in 0..count {
            lab.accounts.looking(&prod()).unwrap().list("c", None).await.unwrap();
        }
        begun.elapsed()
    };
    assert_eq!((looks(5).await, lab.lists(5).await), (Duration::ZERO, Duration::ZERO));
    assert_eq!(looks(1).await, waited(1));
    for _ in 0..10 {
        lab.accounts.looking(&prod()).unwrap().attest("c", &[]).await.unwrap();
    }
    lab.change(|account| account.owners = vec![None]);
    assert_eq!(looks(1).await, Duration::from_secs(1), "whoever owns it");
    lab.limit(6, 2);
    assert_eq!(looks(2).await, waited(20), "other limits begin with nothing");
}
