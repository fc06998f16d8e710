// Serial consoles of machines, as streams of text.

import { failureOf, rpc } from '../rpc';

export interface TextStream {
  onText(text: string): void;
  onFailure(message: string): void;
}

/** Opens a machine's console from its beginning; the returned function ends it. */
export function openConsole(cluster: string, machine: string, stream: TextStream): () => void {
  const subscription = rpc().clusters.console.subscribe(
    { cluster, machine },
    {
      onData: ({ text }) => stream.onText(text),
      onError: (error) => stream.onFailure(failureOf(error).message),
    },
  );
  return () => subscription.unsubscribe();
}
