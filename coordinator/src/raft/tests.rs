//! In-process clusters.
