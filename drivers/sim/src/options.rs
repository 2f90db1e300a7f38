//! The driver's flags, and what a template's options make of the world's behaviour.

use skep_driver::{DriverError, flags};
use skep_types::{FlagDescription, FlagKind, Template};

use crate::config::Behaviour;

/// A day: whoever waits longer in a simulation has mistaken the unit.
const MS_MAX: u64 = 24 * 60 * 60 * 1000;

const FLAGS: [(&str, FlagKind, &str); 10] = [
    ("sim-latency-ms", FlagKind::Integer, "How long a create takes on average; single ones differ by 20 %"),
    ("sim-boot-ms", FlagKind::Integer, "From an instance's existence, or its start, to running"),
    ("sim-power-ms", FlagKind::Integer, "How long an orderly stop takes"),
    ("sim-capacity", FlagKind::Integer, "Instances that can live in the world at once"),
    ("sim-lost-replies-percent", FlagKind::Integer, "Calls with an effect whose reply gets lost"),
    ("sim-late-replies-percent", FlagKind::Integer, "Calls with an effect whose reply comes late"),
    ("sim-late-reply-ms", FlagKind::Integer, "How late a late reply comes"),
    ("sim-partial-percent", FlagKind::Integer, "Creates that make only half of what was asked"),
    ("sim-boot-fails", FlagKind::Boolean, "Instances run, but their agent never starts"),
    ("sim-zone", FlagKind::String, "The zone of the instances; by default they spread over the world's"),
];

/// What a template asks of its instances.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Options {
    pub(crate) behaviour: Behaviour,
    pub(crate) zone: Option<String>,
}

pub(crate) fn flags() -> Vec<FlagDescription> {
    let describe = |(name, kind, usage): (&str, FlagKind, &str)| FlagDescription {
        name: name.to_owned(),
        kind,
        usage: format!("{usage} (default: as the world is configured)"),
        default: String::new(),
        env: name.to_uppercase().replace('-', "_"),
    };
    FLAGS.into_iter().map(describe).collect()
}

/// The world's behaviour where the template says nothing else.
pub(crate) fn read(template: &Template, world: &Behaviour, zones: &[String]) -> Result<Options, DriverError> {
    let given = flags::read(&flags(), template)?;
    let ms = |name, default| Ok::<_, DriverError>(given.integer(name, 0..=MS_MAX)?.unwrap_or(default));
    let percent = |name, default| {
        let value = given.integer(name, 0..=100)?;
        Ok::<_, DriverError>(value.and_then(|v| u8::try_from(v).ok()).unwrap_or(default))
    };
    let capacity = given.integer("sim-capacity", 0..=u64::from(u32::MAX))?;
    let zone = given.text("sim-zone").map(str::to_owned);
    if let Some(zone) = &zone
        && !zones.contains(zone)
    {
        return Err(flags::invalid("sim-zone", format!("must be one of {}", zones.join(", "))));
    }
    let behaviour = Behaviour {
        latency_ms: ms("sim-latency-ms", world.latency_ms)?,
        boot_ms: ms("sim-boot-ms", world.boot_ms)?,
        power_ms: ms("sim-power-ms", world.power_ms)?,
        capacity: capacity.and_then(|v| u32::try_from(v).ok()).or(world.capacity),
        lost_replies_percent: percent("sim-lost-replies-percent", world.lost_replies_percent)?,
        late_replies_percent: percent("sim-late-replies-percent", world.late_replies_percent)?,
        late_reply_ms: ms("sim-late-reply-ms", world.late_reply_ms)?,
        partial_percent: percent("sim-partial-percent", world.partial_percent)?,
        boot_fails: given.text("sim-boot-fails").map_or(world.boot_fails, |text| text == "true"),
        ..world.clone()
    };
    Ok(Options { behaviour, zone })
}

#[cfg(test)]
mod tests {
    use skep_driver::ErrorKind;

    use super::*;

    fn template(options: &[(&str, &str)]) -> Template {
        Template {
            driver: "sim".parse().unwrap(),
            account: "sim".parse().unwrap(),
            options: options.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect(),
            labels: std::collections::BTreeMap::new(),
        }
    }

    fn refused_field(options: &[(&str, &str)]) -> String {
        let error = read(&template(options), &Behaviour::default(), &["sim-a".to_owned()]).unwrap_err();
        let ErrorKind::InvalidSpec { violations } = error.kind else { panic!("{error:?}") };
        violations[0].field.clone()
    }

    #[test]
    fn options_win_over_the_world() {
        let world = Behaviour { latency_ms: 5, boot_ms: 7, ..Behaviour::default() };
        let options = read(&template(&[("sim-latency-ms", "9")]), &world, &[]).unwrap();
        assert_eq!((options.behaviour.latency_ms, options.behaviour.boot_ms), (9, 7));
    }

    #[test]
    fn wrong_options_are_named() {
        assert_eq!(refused_field(&[("sim-gpu", "1")]), "template.options.sim-gpu");
        assert_eq!(refused_field(&[("sim-latency-ms", "soon")]), "template.options.sim-latency-ms");
        assert_eq!(refused_field(&[("sim-partial-percent", "101")]), "template.options.sim-partial-percent");
        assert_eq!(refused_field(&[("sim-zone", "mars")]), "template.options.sim-zone");
    }
}
