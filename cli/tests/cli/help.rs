//! What each command says of itself, and of mistakes on the line.

use insta::assert_snapshot;

use crate::run::Shell;

const COMMANDS: [&str; 47] = [
    "",
    "create",
    "ls",
    "inspect",
    "status",
    "ip",
    "url",
    "env",
    "config",
    "start",
    "stop",
    "restart",
    "kill",
    "rm",
    "explain",
    "swarm",
    "swarm create",
    "swarm ls",
    "swarm inspect",
    "swarm rm",
    "operation",
    "operation ls",
    "operation watch",
    "events",
    "cluster",
    "cluster status",
    "cluster init",
    "cluster join",
    "cluster token",
    "cluster transfer",
    "cluster rm",
    "person",
    "person ls",
    "person put",
    "person rm",
    "account",
    "account add",
    "account ls",
    "account rm",
    "account set-limits",
    "account rotate",
    "account test",
    "driver",
    "driver ls",
    "driver describe",
    "driver test",
    "driver install",
];

#[tokio::test]
async fn every_command_explains_itself() {
    let shell = Shell::without_cluster();
    for command in COMMANDS {
        let outcome = shell.run(&format!("{command} --help")).await;
        assert_eq!((outcome.code, outcome.err.as_str()), (0, ""), "{command}");
        let name = if command.is_empty() { "skep".to_owned() } else { command.replace(' ', "_") };
        assert_snapshot!(format!("help_{name}"), outcome.out);
    }
}

#[tokio::test]
async fn mistakes_on_the_line_are_usage() {
    let shell = Shell::without_cluster();
    assert_snapshot!("usage_unknown_command", shell.run("crate web").await);
    assert_snapshot!("usage_missing_name", shell.run("rm").await);
    assert_snapshot!("usage_wrong_number", shell.run("create --count many web").await);
    assert_eq!(shell.run("").await.code, 2);
    assert_eq!(shell.run("--version").await.out, "skep 0.1.0\n");
}
