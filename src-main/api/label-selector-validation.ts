// Validation of LabelSelector objects.

import type { LabelSelector } from './core/types';
import type { FieldError } from './field-error';
import { fieldError } from './field-error';
import { validateLabels } from './metadata-validation';
import { labelValueProblems, qualifiedNameProblems } from './names';

const operators = ['In', 'NotIn', 'Exists', 'DoesNotExist'];

/** Field errors of a LabelSelector at `path`. */
export function validateLabelSelector(selector: LabelSelector | undefined, path: string): FieldError[] {
  const errors = validateLabels(selector?.matchLabels, `${path}.matchLabels`);
  for (const [index, requirement] of (selector?.matchExpressions ?? []).entries()) {
    const at = `${path}.matchExpressions[${index}]`;
    const values = requirement.values ?? [];
    for (const problem of qualifiedNameProblems(requirement.key)) {
      errors.push(fieldError.invalid(`${at}.key`, requirement.key, problem));
    }
    if (!operators.includes(requirement.operator)) {
      errors.push(fieldError.invalid(`${at}.operator`, requirement.operator, 'not a valid selector operator'));
    } else if (requirement.operator.endsWith('In') && values.length === 0) {
      errors.push(fieldError.required(`${at}.values`, "must be specified when `operator` is 'In' or 'NotIn'"));
    } else if (!requirement.operator.endsWith('In') && values.length > 0) {
      const message = "may not be specified when `operator` is 'Exists' or 'DoesNotExist'";
      errors.push(fieldError.forbidden(`${at}.values`, message));
    }
    for (const [valueIndex, value] of values.entries()) {
      for (const problem of labelValueProblems(value)) {
        errors.push(fieldError.invalid(`${at}.values[${valueIndex}]`, value, problem));
      }
    }
  }
  return errors;
}
