// A store that outlives its client, as IndexedDB does in a browser: what `/sync` brought is kept, and the next client made
// with it goes on from the token of the last one.

import { MemoryStore, SyncAccumulator } from "matrix-js-sdk";

export class KeptStore extends MemoryStore {
    constructor(accumulator = new SyncAccumulator()) {
        super();
        this.accumulator = accumulator;
    }

    /** The store a client opened later finds. */
    reopened() {
        return new KeptStore(this.accumulator);
    }

    async isNewlyCreated() {
        return this.accumulator.getNextBatchToken() === null;
    }

    async setSyncData(data) {
        this.accumulator.accumulate(data);
    }

    async getSavedSync() {
        const data = this.accumulator.getJSON();
        return data.nextBatch ? structuredClone(data) : null;
    }

    async getSavedSyncToken() {
        return this.accumulator.getNextBatchToken();
    }
}
