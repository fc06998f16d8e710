// The whole product once, with nothing faked: a browser creates a cluster of two real machines, stock kubectl deploys
// to it, the window scales it, and everything comes back after `down` and after a kill of the control plane.
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Page } from 'playwright';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { ClusterView } from '../src-main/contract';
import { busyboxImage, makeBusyboxTar } from './harness/image';
import { eventually } from './harness/process';
import { canBrowse, missingForClusters, root, World } from './harness/world';
import { DeploymentPage } from './pages/deployment-page';
import { FirstRunPage } from './pages/first-run-page';
import { PodPage } from './pages/pod-page';

const cluster = 'first';
const reason = [...missingForClusters, ...(canBrowse ? [] : ['chromium'])].join(', ');
const title = reason === '' ? 'first light' : `first light (missing on this machine: ${reason})`;

interface PodList {
  items: {
    metadata: { name: string; uid: string };
    spec: { nodeName?: string };
    status: { phase?: string; podIP?: string; containerStatuses?: { ready: boolean; restartCount: number }[] };
  }[];
}

describe.skipIf(reason !== '')(title, () => {
  const world = new World();
  const screenshots = join(root, 'test-results', 'screenshots');
  let page: Page;
  let url: string;

  const shoot = (name: string) => page.screenshot({ path: join(screenshots, `${name}.png`) });
  const kubectl = (...args: string[]) => world.kubectl(args);
  const webPods = async () => {
    const list = JSON.parse(await kubectl('get', 'pods', '-l', 'app=web', '-o', 'json')) as PodList;
    return list.items;
  };
  const readyWebPods = (count: number, deadlineMs = 90_000) =>
    eventually(
      `${count} ready Pods`,
      async () => {
        const pods = await webPods();
        const ready = pods.filter((pod) => pod.status.containerStatuses?.every((status) => status.ready));
        return pods.length === count && ready.length === count ? pods : undefined;
      },
      { deadlineMs },
    );
  const status = async (): Promise<ClusterView> => {
    const result = await world.cli(['status', '--json']);
    const { clusters } = JSON.parse(result.stdout) as { clusters: ClusterView[] };
    const view = clusters.find(({ name }) => name === cluster);
    if (!view) throw new Error(`status does not tell of ${cluster}: ${result.stdout}`);
    return view;
  };

  beforeAll(async () => {
    mkdirSync(screenshots, { recursive: true });
    const serving = world.keepCli(['serve']);
    url = await eventually('the host prints its URL', async () => /http:\/\/\S+token=\S+/.exec(serving.output())?.[0], {
      deadlineMs: 30_000,
    });
    page = await world.page();
  });

  afterEach(async ({ task }) => {
    if (task.result?.state === 'fail' && page) await shoot(`failed-${task.name.slice(0, 40).replace(/\W+/g, '-')}`);
  });

  afterAll(async () => {
    await world.dispose();
  });

  it('shows the first-run page and refuses a bad form field by field', async () => {
    const firstRun = new FirstRunPage(page);
    await page.goto(url);
    await firstRun.openCreate();
    await shoot('first-run');
    await firstRun.followCreateLink();
    await firstRun.complete({ name: 'Not A Name' });
    await firstRun.expectProblem('lower-case');
    await shoot('create-invalid');
  });

  it('creates a two-node cluster and shows every step of it', { timeout: 1_200_000 }, async () => {
    const firstRun = new FirstRunPage(page);
    await firstRun.complete({ name: cluster, nodes: 2 });
    await shoot('create');
    await firstRun.submit();
    await firstRun.expectSteps([`${cluster}-1`, `${cluster}-2`]);
    const overview = page.waitForURL(/overview/, { timeout: 1_100_000 });
    await page.getByText('SSH: done').first().waitFor({ timeout: 1_000_000 });
    const serial = page.getByRole('region', { name: `Console of ${cluster}-1` });
    await serial.getByText('systemd').first().waitFor({ timeout: 30_000 });
    await shoot('progress');
    await eventually(
      'both nodes are Ready',
      async () => {
        const view = await status();
        return view.state === 'running' || view.state === 'failed' ? view : undefined;
      },
      // An image that was never built on this machine is downloaded and built first.
      { deadlineMs: 1_100_000, everyMs: 2000 },
    );
    await overview;
    const view = await status();
    expect(view, JSON.stringify(view.machines, null, 1)).toMatchObject({ state: 'running' });
    for (const machine of view.machines) {
      const times = machine.steps.map((step) => {
        const ms = (step.finishedAt ?? 0) - (step.startedAt ?? 0);
        return `${step.step} ${(ms / 1000).toFixed(1)}s`;
      });
      console.log(`${machine.name}: ${times.join(', ')}; ${Math.round((machine.residentBytes ?? 0) / 2 ** 20)} MiB`);
    }
    console.log(`control plane: ${Math.round((view.controlPlane.residentBytes ?? 0) / 2 ** 20)} MiB`);
  });

  it('writes a kubeconfig that stock kubectl uses, and the overview shows the nodes', async () => {
    const written = await world.cli(['kubeconfig', '--name', cluster, '--merge']);
    expect(written.code, written.stderr).toBe(0);
    const nodes = await kubectl('get', 'nodes', '-o', 'wide');
    expect(nodes.match(/ Ready /g)).toHaveLength(2);
    await page.getByRole('heading', { name: 'Everything runs' }).waitFor();
    await shoot('overview');
  });

  it('loads an image that was made on this computer into both nodes', async () => {
    const tar = await makeBusyboxTar(world.home);
    const loaded = await world.cli(['image', 'load', tar, '--name', busyboxImage, '--cluster', cluster], {
      deadlineMs: 120_000,
    });
    expect(loaded.code, loaded.stderr).toBe(0);
    await page.getByRole('button', { name: 'Load image' }).click();
    await page.getByLabel('Image file').setInputFiles(tar);
    await page.getByLabel('Name and tag').fill('from-the-window:1');
    await page.getByRole('button', { name: 'Load', exact: true }).click();
    await page.getByText('Loaded from-the-window:1').waitFor({ timeout: 90_000 });
    await page.keyboard.press('Escape');
  });

  it('runs a Deployment of three on both nodes, each Pod with its own address', async () => {
    await kubectl('apply', '-f', join(root, 'e2e/manifests/web.yaml'));
    const pods = await readyWebPods(3);
    expect(new Set(pods.map((pod) => pod.status.podIP)).size).toBe(3);
    expect(new Set(pods.map((pod) => pod.spec.nodeName)).size).toBe(2);
    expect(await kubectl('get', 'pods', '-o', 'wide')).toContain('Running');
    expect(await kubectl('describe', 'deployment', 'web')).toContain('ScalingReplicaSet');
    expect(await kubectl('describe', 'pod', pods[0]!.metadata.name)).toContain('Started');
    expect(await kubectl('get', 'endpoints', 'web')).toContain(':8080');
  });

  it('answers the ClusterIP from Pods on both nodes, and follows the logs that show it', async () => {
    const pods = await webPods();
    await kubectl('apply', '-f', join(root, 'e2e/manifests/probe.yaml'));
    const logs = await eventually(
      'the probe runs',
      async () => {
        const result = JSON.parse(await kubectl('get', 'pod', 'probe', '-o', 'json')) as PodList['items'][0];
        return result.status.phase === 'Running' ? world.keepKubectl(['logs', '-f', 'probe']) : undefined;
      },
      { deadlineMs: 60_000 },
    );
    await eventually(
      'every Pod answered through the Service',
      async () => (pods.every((pod) => logs.output().includes(pod.metadata.name)) ? true : undefined),
      { deadlineMs: 60_000 },
    );
    await logs.end();
    await kubectl('delete', 'pod', 'probe', '--timeout=60s');
  });

  it('lists the Pods live and opens the logs of one', async () => {
    const [pod] = await webPods();
    const podPage = new PodPage(page);
    await podPage.openList();
    await shoot('pods');
    await podPage.open(pod!.metadata.name);
    await podPage.openLogs();
    await page.getByText(`serving as ${pod!.metadata.name}`).first().waitFor({ timeout: 30_000 });
    await shoot('pod-logs');
  });

  it('scales with the slider from 3 to 5 and back to 1, with the counts converging on screen', async () => {
    const deployment = new DeploymentPage(page);
    await deployment.open('web');
    await deployment.scaleTo(5);
    await deployment.expectReady(5);
    await shoot('deployment-5');
    await readyWebPods(5);
    await deployment.scaleTo(1);
    await deployment.expectReady(1);
    await readyWebPods(1);
    await kubectl('scale', 'deployment', 'web', '--replicas=2');
    await deployment.expectReady(2);
    await shoot('deployment-2');
  });

  it('loses nothing when the control plane is killed, and the window reconnects by itself', async () => {
    const before = await status();
    process.kill(before.controlPlane.pid!, 'SIGKILL');
    await eventually(
      'the control plane is back',
      async () => {
        const view = await status();
        return view.controlPlane.state === 'running' && view.controlPlane.pid !== before.controlPlane.pid
          ? view
          : undefined;
      },
      { deadlineMs: 60_000 },
    );
    const pods = await readyWebPods(2);
    await kubectl('scale', 'deployment', 'web', '--replicas=3');
    await new DeploymentPage(page).expectReady(3);
    const after = await readyWebPods(3);
    expect(after.map((pod) => pod.metadata.uid)).toEqual(expect.arrayContaining(pods.map((pod) => pod.metadata.uid)));
  });

  it('comes back with its objects and Pods after down and up', { timeout: 400_000 }, async () => {
    const before = await webPods();
    const down = await world.cli(['down', '--name', cluster], { deadlineMs: 120_000 });
    expect(down.code, down.stderr).toBe(0);
    expect((await status()).state).toBe('stopped');
    const started = Date.now();
    const up = await world.cli(['up', '--name', cluster], { deadlineMs: 240_000 });
    expect(up.code, up.stdout + up.stderr).toBe(0);
    console.log(`up after down: ${((Date.now() - started) / 1000).toFixed(1)} s`);
    const after = await readyWebPods(3, 120_000);
    expect(after.map((pod) => pod.metadata.uid).sort()).toEqual(before.map((pod) => pod.metadata.uid).sort());
    await new DeploymentPage(page).expectReady(3);
    await shoot('after-up');
  });

  it('shows the overview in the dark theme and in Chinese', async () => {
    await page.goto(`${url}#/c/${cluster}/overview`);
    await page.getByRole('heading', { name: 'Everything runs' }).waitFor({ timeout: 60_000 });
    await page.getByRole('button', { name: 'Theme' }).click();
    await page.getByRole('menuitemradio', { name: 'Dark' }).click();
    await page.getByRole('button', { name: 'Language' }).click();
    await page.getByRole('menuitemradio', { name: '简体中文' }).click();
    await page.getByRole('heading', { name: '一切正常' }).waitFor();
    await shoot('overview-dark-zh');
  });

  it('deletes the Deployment with everything below it, and the cluster with its machines', async () => {
    await kubectl('delete', 'deployment', 'web', '--timeout=60s');
    await eventually('no Pod is left', async () => ((await webPods()).length === 0 ? true : undefined), {
      deadlineMs: 60_000,
    });
    const deleted = await world.cli(['delete', '--name', cluster, '--yes'], { deadlineMs: 120_000 });
    expect(deleted.code, deleted.stderr).toBe(0);
    expect(JSON.parse((await world.cli(['status', '--json'])).stdout)).toMatchObject({ clusters: [] });
  });
});
