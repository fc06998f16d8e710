// What a person types to run Pilothouse, for hints: `npm start --` in a checkout, which says so by PILOTHOUSE_COMMAND.

export function commandName(environment: NodeJS.ProcessEnv = process.env): string {
  return environment['PILOTHOUSE_COMMAND'] || 'pilothouse';
}
