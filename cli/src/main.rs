//! `skep`: hands the process's surroundings to the library and ends with its exit code.

use std::process::ExitCode;

use skep::{Exit, Surroundings};

fn main() -> ExitCode {
    skep_tls::install_provider();
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            #[allow(clippy::print_stderr, reason = "before there are any surroundings to write to")]
            {
                eprintln!("skep: cannot start: {error}");
            }
            return Exit::Failed.into();
        }
    };
    let exit = runtime.block_on(async {
        let surroundings = Surroundings::of_process();
        let interrupt = surroundings.interrupt.clone();
        tokio::spawn(async move {
            if tokio::signal::ctrl_c().await.is_ok() {
                interrupt.cancel();
            }
        });
        skep::run(std::env::args_os().collect(), surroundings).await
    });
    // A question that nobody answered still reads from the terminal in a thread of its own.
    runtime.shutdown_background();
    exit.into()
}
