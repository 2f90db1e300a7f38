//! What driver programs log, carried into our log.

use std::sync::Arc;

use skep_driver::plugin::{LogLine, LogSink};
use tracing::Level;

/// For one account of one driver; `account` is empty while a program is only asked what it is.
pub(super) fn sink(driver: &str, account: &str) -> LogSink {
    let (driver, account) = (driver.to_owned(), account.to_owned());
    Arc::new(move |pid, line| say(&driver, &account, pid, &line))
}

/// A level is part of where a message is written, not a value of it.
macro_rules! said {
    ($level:expr, $driver:ident, $account:ident, $pid:ident, $message:expr) => {
        tracing::event!(target: "skep_driver", $level, driver = $driver, account = $account, pid = $pid, "{}", $message)
    };
}

fn say(driver: &str, account: &str, pid: u32, line: &LogLine) {
    match line.level {
        Level::ERROR => said!(Level::ERROR, driver, account, pid, line.message),
        Level::WARN => said!(Level::WARN, driver, account, pid, line.message),
        Level::INFO => said!(Level::INFO, driver, account, pid, line.message),
        Level::DEBUG => said!(Level::DEBUG, driver, account, pid, line.message),
        Level::TRACE => said!(Level::TRACE, driver, account, pid, line.message),
    }
}
