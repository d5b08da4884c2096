import './first'; // before all others
import { mount } from 'svelte';
import './app/tokens.css';
import App from './app/App.svelte';

mount(App, { target: document.body });
