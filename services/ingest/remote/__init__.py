"""Accounts elsewhere, read again and again: mailboxes now, address books and CRMs on the same base.

A source yields pages (`page.Page`); a run (`runs`) sends each page's signals to Kafka and then
notes how far it is, so that a run that is killed repeats at most one page, which changes nothing.
"""
