const project = (name, testMatch, extra = {}) => ({
  displayName: name,
  testMatch,
  testEnvironment: 'node',
  modulePathIgnorePatterns: ['<rootDir>/cdk.out', '<rootDir>/.mainstay', '<rootDir>/.cache'],
  testRunner: '<rootDir>/test/runner.js',
  transform: {},
  ...extra,
});

const sharedRuntime = {
  setupFilesAfterEnv: ['<rootDir>/test/e2e/support/worker-setup.ts'],
  globalSetup: '<rootDir>/test/e2e/support/global-setup.ts',
  globalTeardown: '<rootDir>/test/e2e/support/global-teardown.ts',
};

/**
 * The two files of end-to-end tests go to a worker each, which boots a local runtime for them. They wait more than they compute;
 * meanwhile a third worker has the rest.
 */
export default {
  maxWorkers: 3,
  testSequencer: '<rootDir>/test/sequencer.js',
  projects: [
    project('unit', ['<rootDir>/test/**/*.test.ts'], {
      testPathIgnorePatterns: ['<rootDir>/test/(e2e|faults)/'],
    }),
    project('e2e', ['<rootDir>/test/e2e/**/*.test.ts'], sharedRuntime),
    project('faults', ['<rootDir>/test/faults/**/*.test.ts'], sharedRuntime),
  ],
};
