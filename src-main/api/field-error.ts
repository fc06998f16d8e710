// Field errors with the wording and shape of k8s.io/apimachinery/pkg/util/validation/field.

export type FieldErrorType =
  | 'FieldValueRequired'
  | 'FieldValueInvalid'
  | 'FieldValueNotSupported'
  | 'FieldValueDuplicate'
  | 'FieldValueForbidden'
  | 'FieldValueNotFound'
  | 'FieldValueTooLong'
  | 'FieldValueTooMany'
  | 'FieldValueTypeInvalid';

export interface FieldError {
  type: FieldErrorType;
  /** e.g. spec.template.spec.containers[0].image */
  field: string;
  badValue?: unknown;
  detail: string;
}
