import { describe, expect, it, vi } from 'vitest';
import { buildProgram, type Handlers, parseCommandLine } from './program';

function setUp() {
  const names = [
    ...(['open', 'up', 'down', 'status', 'remove', 'kubeconfig', 'logs', 'loadImage', 'serve', 'stopHost'] as const),
  ];
  const handlers = Object.fromEntries(names.map((name) => [name, vi.fn(() => Promise.resolve())])) as unknown as {
    [K in keyof Handlers]: ReturnType<typeof vi.fn> & Handlers[K];
  };
  const run = (line: string) => parseCommandLine(buildProgram(handlers, '0.1.0'), line.split(' ').filter(Boolean));
  return { handlers, run };
}

describe('the command line', () => {
  it.each([
    ['open', 'open', [{}]],
    ['up', 'up', [{ timeout: '30m' }]],
    [
      'up --name a --nodes 3 --cpus 2 --memory 2Gi --disk 20 --json',
      'up',
      [{ name: 'a', nodes: '3', cpus: '2', memory: '2Gi', disk: '20', json: true, timeout: '30m' }],
    ],
    ['down', 'down', [{}]],
    ['status --json', 'status', [{ json: true }]],
    ['delete --yes --name a', 'remove', [{ name: 'a', yes: true }]],
    ['kubeconfig --merge', 'kubeconfig', [{ merge: true }]],
    ['kubeconfig --print file', 'kubeconfig', [{ print: 'file' }]],
    ['logs console default-1 -f', 'logs', [['console', 'default-1'], { follow: true }]],
    ['image load web.tar --name web:1', 'loadImage', ['web.tar', { name: 'web:1' }]],
    ['serve --port 8000', 'serve', [{ port: '8000' }]],
    ['host stop', 'stopHost', []],
  ] as const)('reads %s', async (line, handler, parameters) => {
    const { handlers, run } = setUp();
    await run(line);
    expect(handlers[handler]).toHaveBeenCalledWith(...parameters);
  });

  it.each([
    ['an unknown flag', 'up --wrong', /--wrong/],
    ['a flag without its value', 'up --nodes', /--nodes/],
    ['an unknown command', 'upp', /upp/],
    ['a missing argument', 'image load', /source/],
    ['too many arguments', 'down everything', /too many arguments/],
    ['no command', '', /a command is missing/],
    ['half a command', 'image', /a command is missing/],
  ])('refuses %s', async (_, line, message) => {
    const { run } = setUp();
    await expect(run(line)).rejects.toMatchObject({ code: 'BAD_USAGE', message: expect.stringMatching(message) });
  });

  it('tells the exit codes in its help', () => {
    let text = '';
    const program = buildProgram(setUp().handlers, '0.1.0').configureOutput({ writeOut: (part) => (text += part) });
    program.outputHelp();
    expect(text).toContain('5  not done within the time allowed');
  });
});
