//! The invariants of the design that the core can show, by their numbers.
//!
//! The simulated fleet asserts 1, 5, 10 and 11 at every instant of every run; the tests here say what else belongs to
//! each. 6, 7, 12, 15, 16, 18 and 19 are for those who hold buckets, look at clouds, roll out, print, watch, write to
//! disks and restore. 17 stands with the properties of `apply`.

mod enrolment;
mod fates;
mod garbage;
mod remains;
mod swarms;
