// Moments for samples of pages: read as people write them, given as the pages take them.

/** Epoch seconds of an ISO 8601 moment. */
export const secondsOf = (moment: string): number => Date.parse(moment) / 1000;
