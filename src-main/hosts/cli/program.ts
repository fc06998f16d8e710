// The command line's grammar: names, flags, help. What a command does is handed in, so that parsing is tested alone.

import { Command, CommanderError } from 'commander';
import { commandName } from '../../machines';
import { badUsage, exitCodeHelp } from './exit-codes';
import { addStoreCommands } from '../store/command';
import type { UpFlags } from './commands';
import type { KubeconfigFlags } from './kubeconfig';

export interface Handlers {
  open(flags: { json?: boolean }): Promise<void>;
  up(flags: UpFlags): Promise<void>;
  down(flags: { name?: string }): Promise<void>;
  status(flags: { name?: string; json?: boolean }): Promise<void>;
  remove(flags: { name?: string; yes?: boolean }): Promise<void>;
  kubeconfig(flags: KubeconfigFlags): Promise<void>;
  logs(what: string[], flags: { name?: string; follow?: boolean }): Promise<void>;
  loadImage(source: string, flags: { cluster?: string; name?: string; json?: boolean }): Promise<void>;
  serve(flags: { port?: string }): Promise<void>;
  stopHost(): Promise<void>;
}

const nameFlag = ['--name <name>', 'name of the cluster (default: the only one there is, else "default")'] as const;

export function buildProgram(handlers: Handlers, version: string): Command {
  const program = new Command(commandName())
    .description('A whole Kubernetes cluster on this computer, and a window to steer it from.')
    .version(version)
    .showSuggestionAfterError()
    .addHelpText('after', `\n${exitCodeHelp}`);

  program
    .command('open')
    .description('open the window (starts the background host when none runs)')
    .option('--json', 'print JSON')
    .action((flags) => handlers.open(flags));

  program
    .command('up')
    .description('create or start a cluster and wait until its nodes are Ready')
    .option(...nameFlag)
    .option('--nodes <count>', 'number of nodes, 1 to 20 (new cluster: 2)')
    .option('--cpus <count>', 'CPUs of each node (new cluster: 1)')
    .option('--memory <size>', 'memory of each node: MiB, or such as 2Gi (new cluster: 1024)')
    .option('--disk <size>', 'disk of each node: GiB, or such as 20Gi (new cluster: 10)')
    .option('--etcd-servers <urls>', 'keep its state in this etcd: URLs with commas (new cluster: a store of its own)')
    .option('--etcd-cafile <path>', 'who signed the certificates of that etcd')
    .option('--etcd-certfile <path>', 'client certificate for that etcd')
    .option('--etcd-keyfile <path>', 'key of the client certificate')
    .option('--timeout <time>', 'how long to wait, such as 90s or 15m', '30m')
    .option('--json', 'print the cluster as JSON when it is up')
    .action((flags) => handlers.up(flags));

  program
    .command('down')
    .description('stop a cluster; its objects and disks stay')
    .option(...nameFlag)
    .action((flags) => handlers.down(flags));

  program
    .command('status')
    .description('show the host, the clusters and their machines')
    .option('--name <name>', 'only this cluster')
    .option('--json', 'print JSON')
    .action((flags) => handlers.status(flags));

  program
    .command('delete')
    .description('delete a cluster with its machines and all their data')
    .option(...nameFlag)
    .option('--yes', 'do not ask')
    .action((flags) => handlers.remove(flags));

  program
    .command('kubeconfig')
    .description("print a cluster's kubeconfig")
    .option(...nameFlag)
    .option('--merge', 'merge it into your own kubeconfig, with a backup and a shown difference')
    .option('--print <path>', 'write it to this file')
    .option('--json', 'print JSON')
    .action((flags) => handlers.kubeconfig(flags));

  program
    .command('logs')
    .description('print a log: control-plane (default), host, or console NODE')
    .argument('[what...]', 'control-plane, host, or console NODE')
    .option(...nameFlag)
    .option('-f, --follow', 'go on with what is added')
    .action((what: string[], flags) => handlers.logs(what, flags));

  program
    .command('image')
    .description('container images of a cluster')
    .command('load')
    .description('load an image into every node')
    .argument('<source>', "tar of `docker save`, root filesystem tar, or an image of this computer's Docker")
    .option('--name <reference>', 'repository:tag; needed for a root filesystem tar')
    .option('--cluster <name>', nameFlag[1])
    .option('--json', 'print JSON')
    .action((source: string, flags) => handlers.loadImage(source, flags));

  program
    .command('serve')
    .description('run the host in the foreground, with the window in the browser')
    .option('--port <port>', 'port of the window (default: the first free one from 7777)')
    .action((flags) => handlers.serve(flags));

  program
    .command('host')
    .description('the background host')
    .command('stop')
    .description('stop every cluster, then the host')
    .action(() => handlers.stopHost());

  addStoreCommands(program);

  for (const command of [program, ...program.commands, ...program.commands.flatMap((item) => item.commands)]) {
    command.exitOverride().configureOutput({ writeErr: () => undefined });
  }
  return program;
}

/** Runs one command line. Commander's own refusals become BAD_USAGE; help and version are printed and no error. */
export async function parseCommandLine(program: Command, parameters: readonly string[]): Promise<void> {
  try {
    await program.parseAsync([...parameters], { from: 'user' });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    if (error.exitCode === 0) return;
    if (error.code === 'commander.help') {
      throw badUsage('a command is missing', helpOf(program, parameters));
    }
    throw badUsage(
      error.message.replace(/^error: /, ''),
      `${commandName()} --help lists commands, ${commandName()} COMMAND --help its flags.`,
    );
  }
}

function helpOf(program: Command, parameters: readonly string[]): string {
  const named = program.commands.find((command) => command.name() === parameters[0]);
  return (named ?? program).helpInformation();
}
