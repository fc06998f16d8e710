// One Deployment: its scale slider and its counts.
import type { Page } from 'playwright';

const convergenceMs = 90_000;

export class DeploymentPage {
  constructor(private readonly page: Page) {}

  async open(name: string): Promise<void> {
    const navigation = this.page.getByRole('navigation', { name: 'Main navigation' });
    await navigation.getByRole('link', { name: 'Deployments', exact: true }).click();
    await this.page.getByRole('table', { name: 'Deployments' }).getByRole('link', { name }).click();
    await this.page.getByRole('slider', { name: 'Replicas' }).waitFor();
  }

  /** Moves the slider step by step with the keyboard until it stands at `replicas`. */
  async scaleTo(replicas: number): Promise<void> {
    const slider = this.page.getByRole('slider', { name: 'Replicas' });
    await slider.focus();
    for (let steps = 0; steps < 50; steps++) {
      const now = Number(await slider.getAttribute('aria-valuenow'));
      if (now === replicas) return;
      await slider.press(now < replicas ? 'ArrowRight' : 'ArrowLeft');
    }
    throw new Error(`the slider does not reach ${replicas}`);
  }

  /** The counts on the screen come to say that `replicas` are wanted and ready. */
  async expectReady(replicas: number): Promise<void> {
    for (const count of ['Wanted', 'Ready', 'Existing']) {
      await this.page
        .getByRole('group', { name: count, exact: true })
        .getByTestId('count')
        .filter({ hasText: new RegExp(`^\\s*${replicas}\\s*$`) })
        .waitFor({ timeout: convergenceMs });
    }
    await this.page.getByText('All replicas are as wanted.').waitFor({ timeout: convergenceMs });
  }
}
