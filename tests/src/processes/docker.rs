//! Plain `docker`, pointed at a host or a swarm by `skep env`.

use std::collections::BTreeMap;
use std::io::Write;
use std::process::{Command, Stdio};

use super::{Cli, run};

#[derive(Debug, Clone)]
pub struct Docker {
    variables: BTreeMap<String, String>,
}

impl Docker {
    pub(super) fn pointed_by(skep: &Cli, to: &[&str]) -> Self {
        let mut args = vec!["env", "--shell", "bash"];
        args.extend(to);
        let text = skep.text(&args);
        // The shell's own reading, so that quoting is tested too.
        let script = format!("{text}\nenv -0");
        let shown = run(Command::new("bash").env_clear().args(["-c", &script]));
        let variables = shown
            .split('\0')
            .filter_map(|pair| pair.split_once('='))
            .filter(|(name, _)| name.starts_with("DOCKER_"))
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect();
        Self { variables }
    }

    pub fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new("docker");
        command.args(args).envs(&self.variables).stdin(Stdio::null());
        command
    }

    /// Must succeed; what it printed.
    pub fn text(&self, args: &[&str]) -> String {
        run(&mut self.command(args)).trim_end().to_owned()
    }

    /// The lines it printed; None where it failed.
    pub fn try_lines(&self, args: &[&str]) -> Option<Vec<String>> {
        let output = self.command(args).output().ok()?;
        let text = String::from_utf8(output.stdout).ok()?;
        output.status.success().then(|| text.lines().map(str::to_owned).collect())
    }

    /// With `input` on its standard input, which is then closed. Must succeed.
    pub fn with_input(&self, args: &[&str], input: &[u8]) -> String {
        let mut command = self.command(args);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        child.stdin.take().unwrap().write_all(input).unwrap();
        let output = child.wait_with_output().unwrap();
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "docker {args:?} ended with {}: {stderr}", output.status);
        String::from_utf8_lossy(&output.stdout).trim_end().to_owned()
    }

    /// "HOSTNAME STATUS ROLE" of every node, ROLE being empty for workers; None while no manager can say.
    pub fn nodes(&self) -> Option<Vec<(String, String, String)>> {
        let lines =
            self.try_lines(&["node", "ls", "--format", "{{.Hostname}}|{{.Status}}|{{.ManagerStatus}}"])?;
        let node = |line: String| {
            let mut parts = line.split('|').map(str::to_owned);
            Some((parts.next()?, parts.next()?, parts.next()?))
        };
        lines.into_iter().map(node).collect()
    }
}
