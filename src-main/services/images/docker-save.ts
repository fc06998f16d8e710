// Taking an image out of this computer's own Docker with its command line.

import { spawn } from 'node:child_process';
import { PilothouseError } from '../../kit';
import { errorCode } from '../files';

const saveDeadlineMs = 10 * 60_000;

interface Outcome {
  exitCode: number | null;
  output: string;
  /** Why it could not be run at all. */
  failure?: string;
}

/** Writes the image to a tar. Errors: DOCKER_UNAVAILABLE, IMAGE_NOT_FOUND (details.field "source"). */
export async function saveFromDocker(request: { image: string; path: string }): Promise<void> {
  const save = ['save', '--output', request.path, request.image];
  const saved = await docker(save);
  if (saved.exitCode === 0) return;
  const details = {
    field: 'source',
    command: `docker ${save.join(' ')}`,
    exitCode: saved.exitCode,
    outputTail: saved.output,
  };
  const answers = saved.failure === undefined && (await docker(['version'])).exitCode === 0;
  const missing = answers && (await docker(['image', 'inspect', request.image])).exitCode !== 0;
  if (missing) {
    throw new PilothouseError({
      code: 'IMAGE_NOT_FOUND',
      message: `source: there is no file and no image of this computer's Docker named ${request.image}`,
      hint: '`docker images` lists what there is.',
      details,
    });
  }
  const reason = saved.failure ?? (saved.output.trim() || `exit code ${saved.exitCode}`);
  throw new PilothouseError({
    code: 'DOCKER_UNAVAILABLE',
    message: `source: there is no such file, and this computer's Docker cannot be asked for it: ${reason}`,
    hint: 'Give a tar file, or start Docker.',
    details,
  });
}

function docker(parameters: string[]): Promise<Outcome> {
  return new Promise((resolve) => {
    let output = '';
    const child = spawn('docker', parameters, { stdio: ['ignore', 'ignore', 'pipe'], timeout: saveDeadlineMs });
    child.stderr.on('data', (chunk: Buffer) => {
      output = (output + chunk.toString()).slice(-4096);
    });
    child.on('error', (error) => {
      const failure = errorCode(error) === 'ENOENT' ? 'it is not installed' : error.message;
      resolve({ exitCode: null, output, failure });
    });
    child.on('close', (exitCode) => resolve({ exitCode, output }));
  });
}
