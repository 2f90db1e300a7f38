//! Many instances from one request, on real coordinators and an emulated EC2 with the limits of a new account.
//!
//! Measured is how long it takes from the request until each host has its instance, beside the least that EC2's buckets
//! and the emulator's own work allow. Whose answer nobody heard, a create has to be sent once more, which takes a token of
//! its bucket; it makes nothing, and takes no time. Nothing boots: what an agent takes is not EC2's.

use std::collections::BTreeSet;
use std::io::{self, Write};
use std::time::{Duration, Instant};

use skep_proto::v1::{Operation, Policy};
use skep_tests_ec2::buckets::{self, of_action, shortest};
use skep_tests_ec2::{Behaviour, Seen};
use skep_types::limits;

use super::{Api, Figures};
use crate::ec2::Ec2;
use crate::processes::{Processes, Settings};
use crate::wait::until;

const COORDINATORS: usize = 3;
const ACCOUNT: &str = "aws";
/// As many as one create call makes.
const BATCH: u32 = 100;
/// EC2 is at rest when for so long, and as long as it worked on any create, nobody asked it for anything: calls may be under
/// way when the last host gets its instance, of an owner that is lost or made once more.
const REST: Duration = Duration::from_secs(1);
/// By then it is; between two looks for orphans there is a minute.
const AT_REST: Duration = Duration::from_secs(60);
/// Phases of hosts that have no instance yet.
const WITHOUT: [&str; 2] = ["Pending", "Provisioning"];

#[derive(Debug, Clone, Copy)]
pub struct Ec2Options {
    pub instances: u32,
    /// Of the replies to calls that change something.
    pub lost_percent: u8,
    /// Kill the account's owner when a third of the instances are known.
    pub kill_owner: bool,
    /// All hosts must have their instances within this.
    pub bound: Duration,
}

#[derive(Debug, Clone)]
pub struct Ec2Took {
    pub took: Duration,
    /// Nobody could have been faster.
    pub least: Duration,
    /// The same without the creates that had to be sent once more.
    pub undisturbed: Duration,
    /// Up to the end, when nothing was under way any more.
    pub seen: Seen,
    /// Instances that were made beyond those asked for, living or not.
    pub doubles: u32,
    /// Living instances that no host has.
    pub orphans: usize,
}

/// Panics where a step fails or takes too long; whatever was started has ended then, too.
pub fn ec2(options: &Ec2Options) -> Ec2Took {
    let ec2 = Ec2::start(Behaviour { lost_percent: options.lost_percent, ..Behaviour::limited() });
    let usual = Settings::default();
    let settings = Settings {
        // A killed owner's account moves after this and a lease.
        driver_call: if options.kill_owner { usual.driver_call } else { limits::DRIVER_CALL },
        plugin_path: Some(ec2.plugin_path()),
        // Never: the emulator's addresses belong to somebody.
        dial_after: options.bound * 2,
        ..usual
    };
    let mut processes = Processes::start_with(COORDINATORS, &settings);
    ec2.add_account(&processes.skep(), ACCOUNT);
    measure(options, &mut processes, &ec2)
}

fn measure(options: &Ec2Options, processes: &mut Processes, ec2: &Ec2) -> Ec2Took {
    let mut api = Api::connect(&processes.config(), processes.address(0));
    let started = Instant::now();
    let asked = api.create_of("amazonec2", ACCOUNT, "bulk", options.instances, Policy::AllOrNothing);
    let left = |seen: &Operation| -> u32 { WITHOUT.iter().filter_map(|phase| seen.phases.get(*phase)).sum() };
    if options.kill_owner {
        let most = options.instances * 2 / 3;
        api.followed(&asked.id, options.bound, |seen| left(seen) <= most);
        let owner = owner(processes);
        processes.kill(owner);
        api = Api::connect(&processes.config(), processes.address((owner + 1) % COORDINATORS));
    }
    api.followed(&asked.id, options.bound, |seen| left(seen) == 0);
    let took = started.elapsed();
    // No create is open any more, or one of its hosts would still be Provisioning.
    let seen = at_rest(ec2);
    let held: BTreeSet<String> = api.hosts().into_iter().map(|host| host.provider_id).collect();
    let living = ec2.world().living();
    assert_eq!(held.len(), options.instances as usize, "each host has an instance of its own");
    assert!(held.is_subset(&living), "a host's instance is gone");
    let runs = (of_action("RunInstances").1, 1);
    let undisturbed = shortest(&[runs, (buckets::INSTANCES, BATCH)], &seen.creates);
    let unanswered = seen.lost_of("RunInstances") + seen.unheard_of("RunInstances");
    let requests = seen.creates.len() + unanswered as usize;
    Ec2Took {
        took,
        least: undisturbed.max(shortest(&[runs], &vec![Duration::ZERO; requests])),
        undisturbed,
        doubles: seen.made.saturating_sub(options.instances),
        orphans: living.difference(&held).count(),
        seen,
    }
}

/// What EC2 saw, once all is over.
fn at_rest(ec2: &Ec2) -> Seen {
    let mut last = (ec2.world().seen(), Instant::now());
    let rests = || {
        let seen = ec2.world().seen();
        if seen != last.0 {
            last = (seen, Instant::now());
        }
        let longest = last.0.creates.iter().max().copied().unwrap_or_default();
        (last.1.elapsed() >= REST + longest).then(|| last.0.clone())
    };
    until(AT_REST, "nobody asks EC2 for anything", rests).0
}

/// Whose lease calls the driver.
fn owner(processes: &Processes) -> usize {
    let accounts = processes.skep().json(&["account", "ls", "-o", "json"]);
    let rows = accounts.as_array().unwrap();
    let row = rows.iter().find(|row| row["name"] == ACCOUNT).unwrap();
    crate::processes::index(row["owner"].as_str().unwrap()).unwrap()
}

impl Ec2Took {
    pub fn print<W: Write>(&self, figures: &mut Figures<W>) -> io::Result<()> {
        let calls = |action: &str| f64::from(self.seen.requests_of(action));
        figures.print("bound_s", self.took.as_secs_f64(), "s")?;
        figures.print("bucket_minimum_s", self.least.as_secs_f64(), "s")?;
        figures.print("ratio_to_bucket_minimum", self.took.as_secs_f64() / self.least.as_secs_f64(), "")?;
        let undisturbed = self.took.as_secs_f64() / self.undisturbed.as_secs_f64();
        figures.print("ratio_to_undisturbed_minimum", undisturbed, "")?;
        figures.print("creates_lost", f64::from(self.seen.lost_of("RunInstances")), "calls")?;
        figures.print("creates_unheard", f64::from(self.seen.unheard_of("RunInstances")), "calls")?;
        figures.print("create_calls", calls("RunInstances"), "calls")?;
        figures.print("creates_throttled", f64::from(self.seen.throttled_of("RunInstances")), "calls")?;
        figures.print("describe_calls", calls("DescribeInstances"), "calls")?;
        figures.print("doubles", f64::from(self.doubles), "instances")?;
        figures.print("orphans", self.orphans as f64, "instances")
    }
}
