// Taking an image out of this computer's own Docker with its command line.

import { spawn } from 'node:child_process';
import { PilothouseError } from '../../kit';
import { errorCode } from '../files';

const saveDeadlineMs = 10 * 60_000;

/** Writes the image to a tar. Errors: DOCKER_UNAVAILABLE, IMAGE_NOT_FOUND. */
export function saveFromDocker(request: { image: string; path: string }): Promise<void> {
  const command = ['docker', 'save', '--output', request.path, request.image];
  return new Promise((resolve, reject) => {
    let output = '';
    const child = spawn(command[0]!, command.slice(1), {
      stdio: ['ignore', 'ignore', 'pipe'],
      timeout: saveDeadlineMs,
    });
    child.stderr.on('data', (chunk: Buffer) => {
      output = (output + chunk.toString()).slice(-4096);
    });
    child.on('error', (error) =>
      reject(unavailable(errorCode(error) === 'ENOENT' ? 'it is not installed' : error.message)),
    );
    child.on('close', (exitCode) => {
      if (exitCode === 0) return resolve();
      const details = { command: command.join(' '), exitCode, outputTail: output, field: 'source' };
      if (/No such image|reference does not exist/i.test(output)) {
        return reject(
          new PilothouseError({
            code: 'IMAGE_NOT_FOUND',
            message: `source: this computer's Docker has no image ${request.image}, and there is no such file`,
            hint: '`docker images` lists what there is.',
            details,
          }),
        );
      }
      reject(unavailable(output.trim() || `exit code ${exitCode}`, details));
    });
  });
}

function unavailable(reason: string, details: Record<string, unknown> = { field: 'source' }): PilothouseError {
  return new PilothouseError({
    code: 'DOCKER_UNAVAILABLE',
    message: `source: not a file here, and this computer's Docker cannot be asked for it: ${reason}`,
    hint: 'Give a tar file, or start Docker.',
    details,
  });
}
