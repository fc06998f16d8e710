// How patient agents are with an API server that does not answer. It runs on the same computer and has a handful of
// nodes: there is no herd to fear, and a person who restarted it is waiting for them.

/** The longest wait between two tries, in milliseconds. */
export const apiRetryMaxMs = 5000;
