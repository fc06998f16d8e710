// The Pods of a cluster, and one of them.
import type { Page } from 'playwright';

export class PodPage {
  constructor(private readonly page: Page) {}

  /** Through the navigation and the list, as a person gets there. */
  async openList(): Promise<void> {
    const navigation = this.page.getByRole('navigation', { name: 'Main navigation' });
    await navigation.getByRole('link', { name: 'Pods', exact: true }).click();
    await this.page.getByRole('table', { name: 'Pods' }).waitFor();
  }

  async open(pod: string): Promise<void> {
    await this.page.getByRole('table', { name: 'Pods' }).getByRole('link', { name: pod }).click();
    await this.page.getByRole('tab', { name: 'Summary' }).waitFor();
  }

  async openLogs(): Promise<void> {
    await this.page.getByRole('tab', { name: 'Logs' }).click();
    await this.page.getByRole('log').waitFor();
  }
}
