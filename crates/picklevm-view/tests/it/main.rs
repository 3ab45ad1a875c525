//! Tests of the page as data; `page/test` has those in a browser.

mod data;
