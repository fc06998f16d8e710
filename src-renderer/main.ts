// Entry of the window. Everything else is reached from `app`.
import './app/styles.css';
import { startApp } from './app/start';

startApp();
