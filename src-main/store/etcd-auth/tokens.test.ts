import { expect, it } from 'vitest';
import { FakeClock } from '../../testkit/fake-clock';
import { Tokens } from './tokens';

const minute = 60_000;

it('keeps a token good while it is used, and forgets it five minutes later', async () => {
  const clock = new FakeClock();
  const tokens = new Tokens(clock);
  const token = tokens.give('anna');
  expect(tokens.give('anna')).not.toBe(token);
  await clock.advance(4 * minute);
  expect(tokens.userOf(token)).toBe('anna');
  await clock.advance(4 * minute);
  expect(tokens.userOf(token)).toBe('anna');
  await clock.advance(5 * minute);
  expect(tokens.userOf(token)).toBeUndefined();
});

it('forgets the tokens of a user who is gone, and no others', () => {
  const tokens = new Tokens(new FakeClock());
  const [anna, bert] = [tokens.give('anna'), tokens.give('bert')];
  tokens.forgetUser('anna');
  expect([tokens.userOf(anna), tokens.userOf(bert)]).toEqual([undefined, 'bert']);
});
