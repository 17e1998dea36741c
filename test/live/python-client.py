"""A client in another language, made from the .proto files alone.

Usage: python-client.py HOST:PORT STUBS_DIR

Creates two accounts, books a transfer, looks it up, and books it again, which must answer `exists`. Ids
differ from run to run. Exits 0 only if every answer is as expected. See python-client.sh.
"""

import os
import sys
import time

import grpc

address, stubs = sys.argv[1], sys.argv[2]
sys.path.insert(0, stubs)
from evenkeel.v1 import cluster_pb2, cluster_pb2_grpc, ledger_pb2, ledger_pb2_grpc  # noqa: E402

TIMEOUT_S = 30


def new_id():
    """48 bits of milliseconds, then 80 random bits, big-endian."""
    return int(time.time() * 1000).to_bytes(6, "big") + os.urandom(10)


def expect(what, got, wanted):
    if got != wanted:
        sys.exit(f"{what}: got {got!r}, wanted {wanted!r}")
    print(f"{what}: {got!r}")


def number(value):
    return int.from_bytes(value, "big")


def main():
    channel = grpc.insecure_channel(address)
    ledger = ledger_pb2_grpc.LedgerStub(channel)
    cluster = cluster_pb2_grpc.ClusterStub(channel)

    topology = cluster.GetTopology(cluster_pb2.GetTopologyRequest(), timeout=TIMEOUT_S)
    book = topology.ledgers[0]
    print(f"server {topology.server_id} in {topology.zone}, ledger {book.number} ({book.currency})")

    debit, credit = new_id(), new_id()
    created = ledger.CreateAccounts(
        ledger_pb2.CreateAccountsRequest(
            accounts=[
                ledger_pb2.Account(id=account, ledger=book.number, code=10)
                for account in (debit, credit)
            ]
        ),
        timeout=TIMEOUT_S,
    )
    expect(
        "accounts",
        [ledger_pb2.AccountStatus.Name(result.status) for result in created.results],
        ["ACCOUNT_STATUS_CREATED", "ACCOUNT_STATUS_CREATED"],
    )

    transfer = ledger_pb2.Transfer(
        id=new_id(),
        debit_account_id=debit,
        credit_account_id=credit,
        amount=(1234).to_bytes(16, "big"),
        ledger=book.number,
        code=1,
        user_data_64=2**64 - 1,
    )
    request = ledger_pb2.CreateTransfersRequest(transfers=[transfer], balances=True)
    first = ledger.CreateTransfers(request, timeout=TIMEOUT_S).results[0]
    expect("transfer", first.status, ledger_pb2.TRANSFER_STATUS_CREATED)
    expect("debits posted", number(first.debit_account.debits_posted), 1234)
    expect("credits posted", number(first.credit_account.credits_posted), 1234)

    found = ledger.LookupTransfers(
        ledger_pb2.LookupTransfersRequest(ids=[transfer.id]), timeout=TIMEOUT_S
    ).transfers
    expect("found", [number(row.id) for row in found], [number(transfer.id)])
    expect("its amount", number(found[0].amount), 1234)
    expect("its user_data_64", found[0].user_data_64, 2**64 - 1)
    expect("its timestamp", found[0].timestamp, first.timestamp)

    again = list(ledger.SubmitTransfers(iter([request, request]), timeout=TIMEOUT_S))
    for response in again:
        expect("again", response.results[0].status, ledger_pb2.TRANSFER_STATUS_EXISTS)
        expect("its timestamp", response.results[0].timestamp, first.timestamp)
    expect("answers on the stream", len(again), 2)

    statement = ledger.GetAccountTransfers(
        ledger_pb2.GetAccountTransfersRequest(account_id=debit), timeout=TIMEOUT_S
    )
    expect("posted once", number(statement.account.debits_posted), 1234)
    expect("rows", [number(row.transfer.id) for row in statement.transfers], [number(transfer.id)])

    try:
        ledger.LookupAccounts(ledger_pb2.LookupAccountsRequest(ids=[b"\1" * 17]), timeout=TIMEOUT_S)
        sys.exit("an id of 17 bytes was taken")
    except grpc.RpcError as error:
        expect("an id of 17 bytes", error.code(), grpc.StatusCode.INVALID_ARGUMENT)
        expect("the reason", error.details(), "ids: 17 bytes, at most 16")


main()
