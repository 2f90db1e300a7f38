//! A refusal, as a person sees it.

use skep_tests::processes::Processes;

/// The exit code, and what the message has to name: the field, and how to mend it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Expected<'a> {
    pub(crate) code: i32,
    pub(crate) says: &'a [&'a str],
}

pub(crate) fn refused(cluster: &Processes, args: &[&str], expected: Expected<'_>) {
    let answer = cluster.skep().ask(args);
    assert_eq!(answer.code, expected.code, "skep {args:?}: {}", answer.stderr);
    for word in expected.says {
        assert!(answer.stderr.contains(word), "skep {args:?} does not say {word:?}: {}", answer.stderr);
    }
}
