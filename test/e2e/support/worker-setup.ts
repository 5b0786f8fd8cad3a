import { beforeAll } from '@jest/globals';
import { startSharedPlatform } from './shared-platform.ts';

beforeAll(startSharedPlatform, 180_000);
