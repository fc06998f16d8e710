// Validation of a Pod's volumes.

import type { FieldError } from '../field-error';
import { fieldError } from '../field-error';
import { dns1123LabelProblems } from '../names';
import { compareQuantities } from '../quantity';
import type { KeyToPath, Volume } from './types';

const modeMessage = 'must be a number between 0 and 0777 (octal), both inclusive';
const hostPathTypes = [
  '',
  'BlockDevice',
  'CharDevice',
  'Directory',
  'DirectoryOrCreate',
  'File',
  'FileOrCreate',
  'Socket',
];

function validateMode(mode: number | undefined, path: string): FieldError[] {
  return mode !== undefined && (mode < 0 || mode > 0o777) ? [fieldError.invalid(path, mode, modeMessage)] : [];
}

function validateLocalPath(value: string, path: string): FieldError[] {
  if (value.startsWith('/')) return [fieldError.invalid(path, value, 'must be a relative path')];
  if (value.split('/').includes('..')) return [fieldError.invalid(path, value, "must not contain '..'")];
  return [];
}

function validateItems(items: readonly KeyToPath[] | undefined, path: string): FieldError[] {
  return (items ?? []).flatMap((item, index) => {
    const at = `${path}[${index}]`;
    return [
      ...(item.key ? [] : [fieldError.required(`${at}.key`)]),
      ...(item.path ? validateLocalPath(item.path, `${at}.path`) : [fieldError.required(`${at}.path`)]),
      ...validateMode(item.mode, `${at}.mode`),
    ];
  });
}

function validateProjected(volume: NonNullable<Volume['projected']>, path: string): FieldError[] {
  const errors = validateMode(volume.defaultMode, `${path}.defaultMode`);
  for (const [index, source] of (volume.sources ?? []).entries()) {
    const at = `${path}.sources[${index}]`;
    if (source.secret && !source.secret.name) errors.push(fieldError.required(`${at}.secret.name`));
    if (source.configMap && !source.configMap.name) errors.push(fieldError.required(`${at}.configMap.name`));
    errors.push(
      ...validateItems(source.secret?.items, `${at}.secret.items`),
      ...validateItems(source.configMap?.items, `${at}.configMap.items`),
    );
    const token = source.serviceAccountToken;
    if (!token) continue;
    if (!token.path) errors.push(fieldError.required(`${at}.serviceAccountToken.path`));
    if ((token.expirationSeconds ?? 3600) < 600) {
      const message = 'may not specify a duration less than 10 minutes';
      errors.push(fieldError.invalid(`${at}.serviceAccountToken.expirationSeconds`, token.expirationSeconds, message));
    }
  }
  return errors;
}

function validateSource(volume: Volume, path: string): FieldError[] {
  const errors: FieldError[] = [];
  const { emptyDir, hostPath, configMap, secret, projected, persistentVolumeClaim } = volume;
  if (emptyDir?.sizeLimit !== undefined && compareQuantities(emptyDir.sizeLimit, 0) < 0) {
    const message = 'SizeLimit field must be a valid resource quantity';
    errors.push(fieldError.forbidden(`${path}.emptyDir.sizeLimit`, message));
  }
  if (hostPath) {
    if (!hostPath.path) errors.push(fieldError.required(`${path}.hostPath.path`));
    else if (hostPath.path.split('/').includes('..')) {
      errors.push(fieldError.invalid(`${path}.hostPath.path`, hostPath.path, "must not contain '..'"));
    }
    if (!hostPathTypes.includes(hostPath.type ?? '')) {
      errors.push(fieldError.notSupported(`${path}.hostPath.type`, hostPath.type, hostPathTypes));
    }
  }
  if (configMap) {
    if (!configMap.name) errors.push(fieldError.required(`${path}.configMap.name`));
    errors.push(
      ...validateMode(configMap.defaultMode, `${path}.configMap.defaultMode`),
      ...validateItems(configMap.items, `${path}.configMap.items`),
    );
  }
  if (secret) {
    if (!secret.secretName) errors.push(fieldError.required(`${path}.secret.secretName`));
    errors.push(
      ...validateMode(secret.defaultMode, `${path}.secret.defaultMode`),
      ...validateItems(secret.items, `${path}.secret.items`),
    );
  }
  if (projected) errors.push(...validateProjected(projected, `${path}.projected`));
  if (persistentVolumeClaim && !persistentVolumeClaim.claimName) {
    errors.push(fieldError.required(`${path}.persistentVolumeClaim.claimName`));
  }
  return errors;
}

/** Field errors of a list of volumes at `path`. */
export function validateVolumes(volumes: readonly Volume[], path: string): FieldError[] {
  const errors: FieldError[] = [];
  const names = new Set<string>();
  for (const [index, volume] of volumes.entries()) {
    const at = `${path}[${index}]`;
    const sources = Object.keys(volume).filter((key) => key !== 'name');
    for (const extra of sources.slice(1)) {
      errors.push(fieldError.forbidden(`${at}.${extra}`, 'may not specify more than 1 volume type'));
    }
    if (sources.length === 0) errors.push(fieldError.required(at, 'must specify a volume type'));
    errors.push(...validateSource(volume, at));
    if (!volume.name) errors.push(fieldError.required(`${at}.name`));
    else {
      for (const problem of dns1123LabelProblems(volume.name)) {
        errors.push(fieldError.invalid(`${at}.name`, volume.name, problem));
      }
      if (names.has(volume.name)) errors.push(fieldError.duplicate(`${at}.name`, volume.name));
    }
    names.add(volume.name);
  }
  return errors;
}
