"""Changes the parameters of the deployed stack, and checks what follows from each."""

STACK = "assent"


def outputs(emulator):
    stack = emulator.client("cloudformation").describe_stacks(StackName=STACK)["Stacks"][0]
    return {output["OutputKey"]: output["OutputValue"] for output in stack["Outputs"]}


def update(emulator, **settings):
    """Changes parameters of the stack, as an operator would in the console."""
    formation = emulator.client("cloudformation")
    known = formation.describe_stacks(StackName=STACK)["Stacks"][0]["Parameters"]
    kept = [one["ParameterKey"] for one in known if one["ParameterKey"] not in settings]
    parameters = [{"ParameterKey": name, "UsePreviousValue": True} for name in kept]
    parameters += [{"ParameterKey": name, "ParameterValue": value} for name, value in settings.items()]
    formation.update_stack(
        StackName=STACK,
        UsePreviousTemplate=True,
        Parameters=parameters,
        Capabilities=["CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND"],
    )
    formation.get_waiter("stack_update_complete").wait(StackName=STACK, WaiterConfig={"Delay": 1})


def resources(emulator, kind):
    """Returns the names of the stack's resources of a kind, by their names in the template."""
    found = emulator.client("cloudformation").list_stack_resources(StackName=STACK)["StackResourceSummaries"]
    return {one["LogicalResourceId"]: one["PhysicalResourceId"] for one in found if one["ResourceType"] == kind}


def expect(what, found, wanted):
    if found != wanted:
        raise SystemExit(f"{what}: {found!r} instead of {wanted!r}")


def public_addresses(emulator):
    """Returns what the functions take for their public address."""
    lambdas = emulator.client("lambda")
    names = resources(emulator, "AWS::Lambda::Function").values()
    found = (lambdas.get_function_configuration(FunctionName=name) for name in names)
    return {one["Environment"]["Variables"]["PUBLIC_BASE_URL"] for one in found}


def check_optional(emulator):
    """Sets every optional parameter, checks what follows from it, and leaves all of them out again."""
    kms, zones, certificates = (emulator.client(service) for service in ("kms", "route53", "acm"))
    key = kms.create_key()["KeyMetadata"]["Arn"]
    zone = zones.create_hosted_zone(Name="example.com", CallerReference="assent")["HostedZone"]["Id"].split("/")[-1]
    certificate = certificates.request_certificate(DomainName="pay.example.com")["CertificateArn"]
    settings = {
        "DomainName": "pay.example.com",
        "CertificateArn": certificate,
        "HostedZoneId": zone,
        "KmsKeyArn": key,
        "IntakeConcurrency": "7",
        "SendPromptConcurrency": "50",
        "ConsentCallbackConcurrency": "8",
        "FetchInfoConcurrency": "40",
    }
    update(emulator, **settings)
    expect("the functions' address", public_addresses(emulator), {"https://pay.example.com"})
    expect("the output", outputs(emulator)["PublicAddress"], "https://pay.example.com")
    api = emulator.client("apigatewayv2").get_api(ApiId=outputs(emulator)["HttpApiId"])
    expect("whether the API's own address is closed", api["DisableExecuteApiEndpoint"], True)
    mappings = emulator.client("apigatewayv2").get_api_mappings(DomainName="pay.example.com")["Items"]
    expect("the domain's API", [one["ApiId"] for one in mappings], [outputs(emulator)["HttpApiId"]])
    records = zones.list_resource_record_sets(HostedZoneId=zone)["ResourceRecordSets"]
    expect("the domain's record", [one["Name"] for one in records if one["Type"] == "A"], ["pay.example.com."])
    [table] = resources(emulator, "AWS::DynamoDB::Table").values()
    table = emulator.client("dynamodb").describe_table(TableName=table)["Table"]
    expect("the table's key", table["SSEDescription"].get("KMSMasterKeyArn"), key)
    for url in resources(emulator, "AWS::SQS::Queue").values():
        queue = emulator.client("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
        expect("a queue's key", queue.get("KmsMasterKeyId"), key)
    for group in resources(emulator, "AWS::Logs::LogGroup").values():
        found = emulator.client("logs").describe_log_groups(logGroupNamePrefix=group)["logGroups"]
        expect("a log group's key", found[0].get("kmsKeyId"), key)
    update(emulator, **dict.fromkeys(settings, ""))
